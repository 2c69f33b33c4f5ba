// Every number that a plugin writes, at both of its bounds: what is taken and what is refused.
#include "plugin/entry.hpp"
#include "plugin/instance.hpp"
#include "plugin/values.hpp"

#include "culvert/service.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace culvert::test {
namespace {

using Numbers = std::vector<std::int64_t>;
/// What the engine says of a struct that is right but for this number.
using Read = std::function<Status(std::int64_t)>;

struct Row {
  const char *number;
  Read read;
  Numbers taken;
  Numbers refused;
};

constexpr std::int64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMost64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast64 = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t kFar = 1'000'000; // more than any bound of a text

const std::string kBytes(kFar, 'x');

culvert_view view(std::int64_t size) {
  return {kBytes.data(), static_cast<std::size_t>(size)};
}

culvert_view *views() {
  static std::vector<culvert_view> some(kListenerIds + 1);
  return some.data();
}

const culvert_field *fields() {
  static std::vector<culvert_field> some(kHeadFields + 1, {view(1), view(1), 0, 0});
  return some.data();
}

/// A struct of type Struct that `begin` makes right, with the number that `write` writes into it,
/// read by `read`.
template <typename Struct, typename Begin, typename ReadIt, typename Write>
Read with(Begin begin, ReadIt read, Write write) {
  return [=](std::int64_t number) {
    Struct written{};
    begin(written);
    write(written, number);
    Reader reader("test_plugin", "function");
    read(reader, written);
    return reader.fault();
  };
}

template <typename Write> Read link(Write write) {
  const auto begin = [](culvert_link_description &link) {
    link.host = view(1);
    link.port = 443;
    link.target = link.message = view(1);
    link.ping = link.pong = view(1);
    link.framing = CULVERT_FRAMING_MESSAGES;
    link.fields = fields();
  };
  const auto read = [](Reader &reader, const culvert_link_description &link) { reader.link(link); };
  return with<culvert_link_description>(begin, read, write);
}

template <typename Write> Read intent(Write write) {
  const auto begin = [](culvert_intent &intent) {
    intent.verb = CULVERT_VERB_CONNECT;
    intent.ping = intent.pong = view(1);
    intent.framing = CULVERT_FRAMING_MESSAGES;
    intent.allowed = intent.denied = views();
  };
  const auto read = [](Reader &reader, const culvert_intent &intent) { reader.intent(intent); };
  return with<culvert_intent>(begin, read, write);
}

template <typename Write> Read answer(std::uint32_t form, Write write) {
  const auto begin = [form](culvert_answer &answer) {
    answer.form = form;
    answer.status = form == CULVERT_ANSWER_HTTP ? 200 : 1'000;
    answer.fields = fields();
  };
  const auto read = [](Reader &reader, const culvert_answer &answer) { reader.answer(answer); };
  return with<culvert_answer>(begin, read, write);
}

template <typename Call, typename Begin, typename Write> Read record(Begin begin, Write write) {
  const auto read = [](Reader &reader, const typename Call::Record &record) {
    static_cast<void>(Call::read(record, reader));
  };
  return with<typename Call::Record>(begin, read, write);
}

template <typename Write> Read acquire(Write write) {
  return record<AcquireCall>([](culvert_acquire &record) { record.token = view(1); }, write);
}

template <typename Write> Read verify(Write write) {
  return record<VerifyCall>(
      [](culvert_verify &record) { record.rights = record.right_wanted = kRightListen; }, write);
}

template <typename Write> Read resolve(Write write) {
  const auto begin = [](culvert_resolve &record) {
    record.address_count = 1;
    for (culvert_address &address : record.addresses) {
      address.family = CULVERT_IPV6;
    }
  };
  return record<ResolveCall>(begin, write);
}

void check(const std::vector<Row> &rows) {
  for (const Row &row : rows) {
    for (const std::int64_t number : row.taken) {
      const Status status = row.read(number);
      EXPECT_TRUE(status.ok()) << row.number << " " << number << ": " << status.message;
    }
    for (const std::int64_t number : row.refused) {
      const Status status = row.read(number);
      EXPECT_EQ(status.source, Source::kPlugin) << row.number << " " << number;
      EXPECT_EQ(status.message.find("plugin test_plugin"), 0U) << status.message;
    }
  }
}

/// Framing stands in two structs.
template <typename Struct, typename ReadIt> std::vector<Row> framing_rows(ReadIt read) {
  return {
      {"framing",
       read([](Struct &s, std::int64_t n) { s.framing = std::uint32_t(n); }),
       {0, 1, 2},
       {3, kMost32}},
      {"ping_interval_ms",
       read([](Struct &s, std::int64_t n) { s.ping_interval_ms = std::uint32_t(n); }),
       {0, 100, kMost32},
       {1, 99}},
      {"largest_message",
       read([](Struct &s, std::int64_t n) { s.largest_message = std::uint32_t(n); }),
       {0, 16, 65'536},
       {1, 2, 15, 65'537, kMost32}},
      {"ping.size",
       read([](Struct &s, std::int64_t n) { s.ping = view(n); }),
       {0, 1, 65'535},
       {65'536, 65'537, std::int64_t{kFar}}},
      {"pong.size",
       read([](Struct &s, std::int64_t n) { s.pong = view(n); }),
       {0, 1, 65'535},
       {65'536, 65'537, std::int64_t{kFar}}},
  };
}

TEST(Bounds, OfALinkDescription) {
  using Link = culvert_link_description;
  check(framing_rows<Link>([](auto write) { return link(write); }));
  check({
      {"tls",
       link([](Link &l, std::int64_t n) { l.tls = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"port",
       link([](Link &l, std::int64_t n) { l.port = std::uint32_t(n); }),
       {1, 65'535},
       {0, 65'536, kMost32}},
      {"head_form",
       link([](Link &l, std::int64_t n) { l.head_form = std::uint32_t(n); }),
       {0, 1, 2},
       {3, kMost32}},
      {"field_count",
       link([](Link &l, std::int64_t n) { l.field_count = std::uint32_t(n); }),
       {0, 128},
       {129, kMost32}},
      {"host.size",
       link([](Link &l, std::int64_t n) { l.host = view(n); }),
       {1, 40'960},
       {0, 40'961}},
      {"server_name.size",
       link([](Link &l, std::int64_t n) { l.server_name = view(n); }),
       {0, 40'960},
       {40'961}},
      {"alpn.size", link([](Link &l, std::int64_t n) { l.alpn = view(n); }), {0, 255}, {256}},
      {"target.size",
       link([](Link &l, std::int64_t n) { l.target = view(n); }),
       {0, 40'960},
       {40'961}},
      {"authority.size",
       link([](Link &l, std::int64_t n) { l.authority = view(n); }),
       {0, 40'960},
       {40'961}},
      {"message.size",
       link([](Link &l, std::int64_t n) { l.message = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAField) {
  static culvert_field field;
  const auto one = [](auto write) {
    return link([write](culvert_link_description &l, std::int64_t n) {
      field = {view(1), view(1), 0, 0};
      write(field, n);
      l.fields = &field;
      l.field_count = 1;
    });
  };
  check({
      {"secret",
       one([](culvert_field &f, std::int64_t n) { f.secret = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"name.size",
       one([](culvert_field &f, std::int64_t n) { f.name = view(n); }),
       {1, 40'960},
       {0, 40'961}},
      {"value.size",
       one([](culvert_field &f, std::int64_t n) { f.value = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAnIntent) {
  using Intent = culvert_intent;
  check(framing_rows<Intent>([](auto write) { return intent(write); }));
  check({
      {"verb",
       intent([](Intent &i, std::int64_t n) { i.verb = std::uint32_t(n); }),
       {1, 2, 3, 4, 5, 6, 7},
       {0, 8, kMost32}},
      {"allowed_count",
       intent([](Intent &i, std::int64_t n) { i.allowed_count = std::uint32_t(n); }),
       {0, 256},
       {257, kMost32}},
      {"denied_count",
       intent([](Intent &i, std::int64_t n) { i.denied_count = std::uint32_t(n); }),
       {0, 256},
       {257, kMost32}},
      {"facts.size",
       intent([](Intent &i, std::int64_t n) { i.facts = view(n); }),
       {0, 40'960},
       {40'961}},
      {"token.size",
       intent([](Intent &i, std::int64_t n) { i.token = view(n); }),
       {0, 40'960},
       {40'961}},
  });
}

TEST(Bounds, OfAnAnswerAndItsMessage) {
  using Answer = culvert_answer;
  const auto status = [](Answer &a, std::int64_t n) { a.status = std::uint32_t(n); };
  check({
      {"form",
       answer(CULVERT_ANSWER_NONE,
              [](Answer &a, std::int64_t n) {
                a.form = std::uint32_t(n);
                a.status = n == CULVERT_ANSWER_HTTP ? 200 : 1'000;
              }),
       {0, 1, 2, 3},
       {4, kMost32}},
      {"HTTP status",
       answer(CULVERT_ANSWER_HTTP, status),
       {101, 200, 599},
       {0, 100, 102, 199, 600, 65'736, kMost32}},
      {"close code",
       answer(CULVERT_ANSWER_CLOSE, status),
       {1'000, 1'003, 3'000, 4'999},
       {0, 999, 1'005, 1'006, 5'000, 66'536, kMost32}},
      {"field_count",
       answer(CULVERT_ANSWER_HTTP,
              [](Answer &a, std::int64_t n) { a.field_count = std::uint32_t(n); }),
       {0, 128},
       {129, kMost32}},
      {"body.size",
       answer(CULVERT_ANSWER_HTTP, [](Answer &a, std::int64_t n) { a.body = view(n); }),
       {0, 65'536},
       {65'537}},
      {"message.kind",
       answer(CULVERT_ANSWER_MESSAGE,
              [](Answer &a, std::int64_t n) { a.message.kind = std::uint32_t(n); }),
       {0, 1},
       {2, kMost32}},
      {"message.bytes.size",
       answer(CULVERT_ANSWER_MESSAGE, [](Answer &a, std::int64_t n) { a.message.bytes = view(n); }),
       {0, 65'536},
       {65'537}},
  });
}

TEST(Bounds, OfTokensAndGrants) {
  check({
      {"token.size",
       acquire([](culvert_acquire &r, std::int64_t n) { r.token = view(n); }),
       {1, 20'480},
       {0, 20'481}},
      {"acquire expires_s",
       acquire([](culvert_acquire &r, std::int64_t n) { r.expires_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
      {"renew_after_s",
       acquire([](culvert_acquire &r, std::int64_t n) { r.renew_after_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
      {"rights",
       verify([](culvert_verify &r, std::int64_t n) { r.rights = std::uint32_t(n); }),
       {1, 3, 7},
       {0, 2, 9, kMost32}},
      {"verify expires_s",
       verify([](culvert_verify &r, std::int64_t n) { r.expires_s = n; }),
       {0, kLastSecond, kMost64},
       {-1, kLeast64}},
  });
  Reader reader("test_plugin", "function");
  EXPECT_EQ(reader.second(kMost64, "a time"), kLastSecond); // later is good until then
}

TEST(Bounds, OfAddresses) {
  check({
      {"address_count",
       resolve([](culvert_resolve &r, std::int64_t n) { r.address_count = std::uint32_t(n); }),
       {1, 16},
       {0, 17, kMost32}},
      {"family",
       resolve(
           [](culvert_resolve &r, std::int64_t n) { r.addresses[0].family = std::uint32_t(n); }),
       {4, 6},
       {0, 5, 7, kMost32}},
      {"lifetime_ms",
       resolve([](culvert_resolve &r, std::int64_t n) { r.lifetime_ms = std::uint32_t(n); }),
       {0, kMost32},
       {}},
  });
}

TEST(Bounds, OfAnEntry) {
  static const culvert_resolver functions{
      sizeof functions, 0, {}, [](void *, culvert_resolve *) -> std::uint32_t { return 0; }};
  static const std::vector<culvert_kind> kinds(65, {CULVERT_KIND_RESOLVER, &functions});
  static const std::vector<const char *> services(65, CULVERT_SERVICE_LOG);
  static culvert_config_key key;
  static std::vector<culvert_config_key> keys(65, {"key", "", nullptr, 0, 0});
  const auto entry = [](auto write) -> Read {
    return [write](std::int64_t number) {
      key = keys.front();
      culvert_plugin one{CULVERT_PLUGIN_MAGIC,
                         sizeof one,
                         0,
                         0,
                         1,
                         kinds.data(),
                         "test_plugin",
                         "",
                         "",
                         "",
                         "",
                         "",
                         keys.data(),
                         1,
                         1,
                         services.data()};
      write(one, static_cast<std::uint32_t>(number));
      Status status = check_entry(one, "test_plugin", "plugin test_plugin");
      EXPECT_TRUE(status.ok() || status.source == Source::kLocal) << status.message;
      status.source = Source::kPlugin; // as check() expects it of every other struct
      return status;
    };
  };
  check({
      {"size",
       entry([](culvert_plugin &e, std::uint32_t n) { e.size = n; }),
       {sizeof(culvert_plugin), kMost32},
       {0, sizeof(culvert_plugin) - 1}},
      {"abi_minor",
       entry([](culvert_plugin &e, std::uint32_t n) { e.abi_minor = n; }),
       {0, kMost32},
       {}},
      {"abi_minor_required",
       entry([](culvert_plugin &e, std::uint32_t n) { e.abi_minor_required = n; }),
       {0, CULVERT_ABI_MINOR},
       {CULVERT_ABI_MINOR + 1, kMost32}},
      {"kind_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.kind_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"config_key_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.config_key_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"service_count",
       entry([](culvert_plugin &e, std::uint32_t n) { e.service_count = n; }),
       {0, 64},
       {65, kMost32}},
      {"config key type",
       entry([](culvert_plugin &e, std::uint32_t n) {
         key.type = n;
         e.config_keys = &key;
       }),
       {0, 4},
       {5, kMost32}},
  });
}

/// A status is read as its rule says, whatever stands in it.
TEST(Bounds, OfAStatus) {
  const auto read = [](std::uint32_t code, std::uint32_t source, std::uint32_t retry,
                       std::uint32_t peer_status, std::int32_t os_error) {
    culvert_status status{
        sizeof(culvert_status), code, source, retry, peer_status, os_error, "why"};
    return Reader("test_plugin", "function").failure(status);
  };
  const Status last = read(27, 4, 3, 65'535, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(last.code, Code::kInternal);
  EXPECT_EQ(last.source, Source::kConfig);
  EXPECT_EQ(last.retry, Retry::kNewToken);
  EXPECT_EQ(last.peer_status, 65'535);
  EXPECT_EQ(last.os_error, std::numeric_limits<std::int32_t>::max());
  const Status first = read(1, 0, 0, 0, 0);
  EXPECT_EQ(first.code, Code::kCancelled);
  EXPECT_EQ(first.source, Source::kLocal);
  for (const std::uint32_t beyond : {65'536U, std::numeric_limits<std::uint32_t>::max()}) {
    const Status status = read(beyond, beyond, beyond, beyond, -1);
    EXPECT_EQ(status.code, Code::kInternal);
    EXPECT_EQ(status.source, Source::kPlugin);
    EXPECT_EQ(status.retry, Retry::kNever);
    EXPECT_EQ(status.peer_status, 0);
    EXPECT_EQ(status.os_error, 0);
  }
  EXPECT_EQ(read(0, 0, 0, 0, 0).message,
            "plugin test_plugin broke the rules of its ABI: function: it failed with the code 0");
}

} // namespace
} // namespace culvert::test
