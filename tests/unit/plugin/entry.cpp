// The plain data of an entry: every lie is found before a function of the plugin runs.
#include "plugin_world.hpp"

#include <functional>

namespace culvert::test {
namespace {

std::uint32_t resolve(void *, culvert_resolve *) {
  return CULVERT_DONE;
}

struct Parts {
  culvert_resolver functions{sizeof(culvert_resolver), 0, {}, &resolve, nullptr};
  TestEntry test{CULVERT_KIND_RESOLVER, &functions};
  culvert_config_key key{"ttl", "seconds", "60", CULVERT_CONFIG_INTEGER, 0};
  const char *service = CULVERT_SERVICE_CLOCK;
  Parts() {
    test.entry.config_keys = &key;
    test.entry.config_key_count = 1;
    test.entry.services = &service;
    test.entry.service_count = 1;
  }
};

TEST(Entry, IsAcceptedAsItShouldBe) {
  Parts parts;
  EXPECT_EQ(check_entry(parts.test.entry, "test_plugin", "here").message, "");
}

TEST(Entry, EveryLieIsRefusedWithASentence) {
  struct Case {
    std::function<void(Parts &)> lie;
    const char *message;
  };
  const Case cases[] = {
      {[](Parts &p) { p.test.entry.magic ^= 1; },
       "here: wanted the magic number 31474c5054564c43, found 31474c5054564c42; this is no Culvert "
       "plugin, or one for another machine"},
      {[](Parts &p) { p.test.entry.size = 100; },
       "here: wanted an entry of at least 104 bytes, found 100; set its size to "
       "sizeof(culvert_plugin)"},
      {[](Parts &p) { p.test.entry.abi_minor_required = 2; },
       "here: it requires ABI 1.2, this program offers 1.1; use a newer Culvert or an older "
       "plugin"},
      {[](Parts &p) { p.test.entry.license = nullptr; },
       "here: wanted texts for id, version, vendor, license, summary and build_note, found NULL; "
       "write \"\" for none"},
      {[](Parts &p) { p.test.entry.id = "other"; },
       "here: wanted the id 'test_plugin', found 'other'; the id is the file's name without .so"},
      {[](Parts &p) { p.test.entry.kind_count = 65; },
       "here: it declares more than 64 kinds, settings or services"},
      {[](Parts &p) { p.test.entry.config_key_count = 65; },
       "here: it declares more than 64 kinds, settings or services"},
      {[](Parts &p) { p.test.entry.service_count = 65; },
       "here: it declares more than 64 kinds, settings or services"},
      {[](Parts &p) { p.test.entry.kinds = nullptr; },
       "here: it counts kinds, settings or services that point nowhere"},
      {[](Parts &p) { p.test.entry.config_keys = nullptr; },
       "here: it counts kinds, settings or services that point nowhere"},
      {[](Parts &p) { p.test.entry.services = nullptr; },
       "here: it counts kinds, settings or services that point nowhere"},
      {[](Parts &p) { p.test.kind.id = nullptr; },
       "here: a kind without an id or without functions"},
      {[](Parts &p) { p.test.kind.functions = nullptr; },
       "here: a kind without an id or without functions"},
      {[](Parts &p) { p.functions.resolve = nullptr; },
       "here: culvert.kind.resolver/1: wanted the function resolve, found NULL"},
      {[](Parts &p) { p.functions.size = offsetof(culvert_resolver, resolve); },
       "here: culvert.kind.resolver/1: wanted the function resolve, found NULL"},
      {[](Parts &p) { p.functions.size = offsetof(culvert_resolver, resolve) + 5; },
       "here: culvert.kind.resolver/1: wanted the function resolve, found NULL"},
      {[](Parts &p) { p.key.name = nullptr; }, "here: a setting without a name or a summary"},
      {[](Parts &p) { p.key.type = 9; }, "here: setting 'ttl' is of the unknown type 9"},
      {[](Parts &p) { p.key.default_value = "1m"; },
       "here: setting 'ttl' has a broken default: '1m' is no integer"},
      {[](Parts &p) { p.key.name = "t\n\x1b[2Jl", p.key.default_value = "1\n"; },
       "here: setting 't  [2Jl' has a broken default: '1 ' is no integer"},
      {[](Parts &p) { p.key.type = CULVERT_CONFIG_SECRET; },
       "here: setting 'ttl' has a broken default: a secret cannot have a default"},
      {[](Parts &p) { p.service = "culvert.service.teleport/1"; },
       "here: it needs the service 'culvert.service.teleport/1', which this program does not "
       "offer; use a newer Culvert"},
      {[](Parts &p) { p.service = nullptr; },
       "here: it needs the service '', which this program does not offer; use a newer Culvert"},
  };
  for (const Case &one : cases) {
    SCOPED_TRACE(one.message);
    Parts parts;
    one.lie(parts);
    EXPECT_EQ(check_entry(parts.test.entry, "test_plugin", "here").message, one.message);
  }
}

TEST(Entry, EveryRequiredFunctionIsMissed) {
  culvert_transport none_of_transport{};
  none_of_transport.size = sizeof none_of_transport;
  culvert_auth none_of_auth{};
  none_of_auth.size = sizeof none_of_auth;
  culvert_relay none_of_relay{};
  none_of_relay.size = sizeof none_of_relay;
  none_of_relay.head_form = CULVERT_HEAD_HTTP;
  struct Case {
    const char *kind;
    const void *functions;
    const char *first;
  };
  for (const Case &one : {Case{CULVERT_KIND_TRANSPORT, &none_of_transport, "audience"},
                          Case{CULVERT_KIND_RELAY, &none_of_relay, "on_head"},
                          Case{CULVERT_KIND_AUTH, &none_of_auth, "acquire"}}) {
    TestEntry test(one.kind, one.functions);
    EXPECT_EQ(check_entry(test.entry, "test_plugin", "here").message,
              std::string("here: ") + one.kind + ": wanted the function " + one.first +
                  ", found NULL");
  }
}

/// The functions of a relay, all there, and its ALPN words.
struct RelayParts {
  std::vector<const char *> words{"one/1"};
  culvert_relay functions{};
  RelayParts() {
    functions.size = sizeof functions;
    functions.head_form = CULVERT_HEAD_HTTP;
    functions.on_head = [](void *, const culvert_head *, culvert_arena *, culvert_intent *,
                           culvert_status *) -> std::uint32_t { return 1; };
    functions.on_message = [](void *, std::uint64_t *, const culvert_channel_message *,
                              culvert_arena *, culvert_intent *,
                              culvert_status *) -> std::uint32_t { return 1; };
    functions.offer = [](void *, const culvert_offer_request *, culvert_arena *, culvert_message *,
                         culvert_status *) -> std::uint32_t { return 1; };
    functions.outcome = [](void *, const culvert_outcome_request *, culvert_arena *,
                           culvert_answer *, culvert_status *) -> std::uint32_t { return 1; };
  }
};

TEST(Entry, ARelaysHeadFormAndAlpnWordsAreChecked) {
  static const std::string longest(255, 'x');
  static const std::string too_long(256, 'x');
  const std::string form = "here: culvert.kind.relay/1: wanted a head form of 1 or 2, found ";
  const std::string word =
      "here: culvert.kind.relay/1: wanted at most 64 ALPN words of 1 to 255 bytes each";
  struct Case {
    const char *what;
    std::function<void(RelayParts &)> change;
    std::string message;
  };
  const Case cases[] = {
      {"as it should be", [](RelayParts &) {}, ""},
      {"messages", [](RelayParts &p) { p.functions.head_form = CULVERT_HEAD_MESSAGE; }, ""},
      {"form 0", [](RelayParts &p) { p.functions.head_form = 0; }, form + "0"},
      {"form 3", [](RelayParts &p) { p.functions.head_form = 3; }, form + "3"},
      {"no word", [](RelayParts &p) { p.words.clear(); }, ""},
      {"the longest word", [](RelayParts &p) { p.words.push_back(longest.c_str()); }, ""},
      {"a longer word", [](RelayParts &p) { p.words.push_back(too_long.c_str()); }, word},
      {"an empty word", [](RelayParts &p) { p.words.push_back(""); }, word},
      {"a NULL word", [](RelayParts &p) { p.words.push_back(nullptr); }, word},
      {"64 words", [](RelayParts &p) { p.words.resize(64, "one/1"); }, ""},
      {"65 words", [](RelayParts &p) { p.words.resize(65, "one/1"); }, word},
  };
  for (const Case &one : cases) {
    RelayParts parts;
    one.change(parts);
    parts.functions.alpn = parts.words.data();
    parts.functions.alpn_count = static_cast<std::uint32_t>(parts.words.size());
    TestEntry test(CULVERT_KIND_RELAY, &parts.functions);
    EXPECT_EQ(check_entry(test.entry, "test_plugin", "here").message, one.message) << one.what;
  }
  RelayParts nowhere;
  nowhere.functions.alpn_count = 1;
  TestEntry test(CULVERT_KIND_RELAY, &nowhere.functions);
  EXPECT_EQ(check_entry(test.entry, "test_plugin", "here").message, word);
}

TEST(Entry, AKindOfALaterCulvertIsIgnoredAndAMissingOneIsNamed) {
  Parts parts;
  parts.test.kind.id = "culvert.kind.later/1";
  EXPECT_TRUE(check_entry(parts.test.entry, "test_plugin", "here").ok());
  const auto found = find_kind(parts.test.entry, PluginKind::kAuth);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().message, "plugin test_plugin: wanted the kind culvert.kind.auth/1, "
                                    "found culvert.kind.later/1; name another plugin here");
}

TEST(Entry, AStaticPluginIsCheckedToo) {
  PluginWorld world;
  Parts parts;
  parts.test.entry.magic = 0;
  EXPECT_EQ(world.plugin_set.register_static(parts.test.entry).source, Source::kLocal);
  EXPECT_EQ(world.plugin_set.load("test_plugin").status().message,
            "plugin 'test_plugin' is not part of this program, and there is no plugin directory");
}

} // namespace
} // namespace culvert::test
