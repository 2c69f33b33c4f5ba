// Settings: every mistake of an operator has its one sentence.
#include "plugin_world.hpp"

namespace culvert::test {
namespace {

const culvert_config_key kKeys[] = {
    {"key", "the key to sign with", nullptr, CULVERT_CONFIG_SECRET, 1},
    {"name", "the rule's name", nullptr, CULVERT_CONFIG_TEXT, 0},
    {"ttl", "seconds a token lasts", "3600", CULVERT_CONFIG_INTEGER, 0},
    {"strict", "refuse more", "true", CULVERT_CONFIG_BOOLEAN, 0},
    {"hosts", "hosts it knows", "a,b,,c", CULVERT_CONFIG_LIST, 0}};

TEST(Config, EveryMistakeNamesTheKeyAndWhatToWrite) {
  struct Case {
    ConfigValues values;
    const char *message;
  };
  const ConfigValue key = SecretReference{7};
  const Case cases[] = {
      {{{"key", key}, {"kye", true}},
       "plugin auth_x has no setting 'kye'; it has key, name, ttl, strict, hosts"},
      {{},
       "plugin auth_x: setting 'key' is missing (the key to sign with); write a secret as "
       "env:NAME or file:PATH"},
      {{{"key", std::string("k")}},
       "plugin auth_x: setting 'key' is a text; write a secret as env:NAME or file:PATH"},
      {{{"key", key}, {"name", std::int64_t{1}}},
       "plugin auth_x: setting 'name' is an integer; write a text"},
      {{{"key", key}, {"ttl", std::string("1h")}},
       "plugin auth_x: setting 'ttl' is a text; write an integer"},
      {{{"key", key}, {"strict", std::int64_t{1}}},
       "plugin auth_x: setting 'strict' is an integer; write true or false"},
      {{{"key", key}, {"hosts", true}},
       "plugin auth_x: setting 'hosts' is a boolean; write a list of texts"},
      {{{"key", key}, {"name", key}}, "plugin auth_x: setting 'name' is a secret; write a text"},
      {{{"key", key}, {"name", std::vector<std::string>{}}},
       "plugin auth_x: setting 'name' is a list; write a text"},
  };
  for (const Case &one : cases) {
    SCOPED_TRACE(one.message);
    const auto checked = check_config("auth_x", kKeys, one.values);
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.status().message, one.message);
    EXPECT_EQ(checked.status().code, Code::kConfig);
    EXPECT_EQ(checked.status().source, Source::kConfig);
  }
  EXPECT_EQ(check_config("auth_x", {}, {{"a", true}}).status().message,
            "plugin auth_x has no setting 'a'; it has none");
}

TEST(Config, DefaultsFillWhatIsUnset) {
  const auto checked = check_config("auth_x", kKeys, {{"key", SecretReference{7}}});
  ASSERT_TRUE(checked.ok());
  const ConfigValues wanted{{"key", SecretReference{7}},
                            {"ttl", std::int64_t{3600}},
                            {"strict", true},
                            {"hosts", std::vector<std::string>{"a", "b", "", "c"}}};
  EXPECT_EQ(checked.value(), wanted);
}

TEST(Config, WhatIsSetStaysAsItIs) {
  const ConfigValues given{{"key", SecretReference{7}},
                           {"name", std::string("n")},
                           {"ttl", std::int64_t{-1}},
                           {"strict", false},
                           {"hosts", std::vector<std::string>{}}};
  const auto checked = check_config("auth_x", kKeys, given);
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked.value(), given);
}

TEST(Config, ATextBecomesAValueOfItsTypeOrIsRefused) {
  EXPECT_FALSE(parse_config_text(CULVERT_CONFIG_INTEGER, "").ok());
  EXPECT_FALSE(parse_config_text(CULVERT_CONFIG_INTEGER, "12x").ok());
  EXPECT_FALSE(parse_config_text(CULVERT_CONFIG_INTEGER, "9223372036854775808").ok());
  EXPECT_FALSE(parse_config_text(CULVERT_CONFIG_BOOLEAN, "yes").ok());
  EXPECT_FALSE(parse_config_text(CULVERT_CONFIG_SECRET, "x").ok());
  EXPECT_EQ(parse_config_text(CULVERT_CONFIG_INTEGER, "-5").value(), ConfigValue(std::int64_t{-5}));
  EXPECT_EQ(parse_config_text(CULVERT_CONFIG_LIST, "").value(),
            ConfigValue(std::vector<std::string>{}));
}

TEST(Config, ATextIsReadAsTheTypeThatIsDeclared) {
  ConfigValues values{{"name", std::string("12")},          {"ttl", std::string("12")},
                      {"strict", std::string("false")},     {"hosts", std::string("a,b")},
                      {"key", std::string("no reference")}, {"unknown", std::string("x")}};
  read_texts(kKeys, values);
  const ConfigValues wanted{{"name", std::string("12")},
                            {"ttl", std::int64_t{12}},
                            {"strict", false},
                            {"hosts", std::vector<std::string>{"a", "b"}},
                            {"key", std::string("no reference")},
                            {"unknown", std::string("x")}};
  EXPECT_EQ(values, wanted);
  values = {{"ttl", std::string("an hour")}, {"strict", std::string("yes")}};
  read_texts(kKeys, values);
  EXPECT_EQ(check_values("auth_x", kKeys, values).message,
            "plugin auth_x: setting 'strict' is a text; write true or false");
}

/// A plugin whose unit keeps the settings it was made with.
struct Settings {
  std::string name, hosts;
  std::int64_t ttl = 0;
  bool strict = false;
  std::uint64_t key = 0;
};
Settings found;

void *keep_settings(const culvert_host *host, culvert_status *) {
  const auto &config =
      *static_cast<const culvert_config *>(host->service(host, CULVERT_SERVICE_CONFIG));
  const auto text = [](culvert_view view) { return std::string(view.data, view.size); };
  found = {text(config.text(host, "name")), "", config.integer(host, "ttl"),
           config.boolean(host, "strict") != 0, config.secret(host, "key")};
  for (std::uint32_t item = 0; item < config.count(host, "hosts"); ++item) {
    found.hosts += text(config.item(host, "hosts", item)) + ";";
  }
  return &found;
}

class ConfiguredPlugin : public testing::Test {
protected:
  ConfiguredPlugin() {
    entry_.entry.config_keys = kKeys;
    entry_.entry.config_key_count = std::size(kKeys);
    EXPECT_TRUE(world_.plugin_set.register_static(entry_.entry).ok());
  }
  Status make(ConfigValues values) {
    auto unit =
        world_.plugin_set.make_unit("test_plugin", PluginKind::kResolver, std::move(values));
    return unit.ok() ? Status{} : unit.status();
  }
  PluginWorld world_;
  const culvert_resolver functions_{
      sizeof functions_,
      0,
      {&keep_settings, nullptr, nullptr, nullptr},
      [](void *, culvert_resolve *) -> std::uint32_t { return CULVERT_DONE; },
      nullptr};
  TestEntry entry_{CULVERT_KIND_RESOLVER, &functions_};
};

TEST_F(ConfiguredPlugin, ItsOwnSettingsReachEveryUnitBesideThoseOfItsRole) {
  ASSERT_TRUE(world_.plugin_set
                  .configure("test_plugin", {{"name", std::string("n")},
                                             {"ttl", std::string("7")},
                                             {"strict", std::string("false")},
                                             {"hosts", std::vector<std::string>{"a,b", "c"}}})
                  .ok());
  for (const std::uint64_t key : {5U, 6U}) {
    ASSERT_TRUE(make({{"key", SecretReference{key}}}).ok());
    EXPECT_EQ(found.name, "n");
    EXPECT_EQ(found.ttl, 7);
    EXPECT_FALSE(found.strict);
    EXPECT_EQ(found.hosts, "a,b;c;");
    EXPECT_EQ(found.key, key);
  }
}

TEST_F(ConfiguredPlugin, ASettingThatCannotBeIsRefusedBeforeAnyUnit) {
  struct Row {
    const char *id;
    ConfigValues values;
    const char *message;
  };
  const Row rows[] = {
      {"test_plugin",
       {{"nmae", std::string("x")}},
       "plugin test_plugin has no setting 'nmae'; it has key, name, ttl, strict, hosts"},
      {"test_plugin",
       {{"ttl", std::string("secret words")}},
       "plugin test_plugin: setting 'ttl' is a text; write an integer"},
      {"test_plugin",
       {{"key", std::string("secret words")}},
       "plugin test_plugin: setting 'key' is a text; write a secret as env:NAME or file:PATH"},
      {"other",
       {{"name", std::string("x")}},
       "plugin 'other' is not part of this program, and there is no plugin directory"},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(world_.plugin_set.configure(row.id, row.values).message, row.message);
  }
}

TEST_F(ConfiguredPlugin, ASettingOfTheRolesOwnIsRefusedAndARequiredOneIsMissed) {
  ASSERT_TRUE(world_.plugin_set.configure("test_plugin", {{"name", std::string("n")}}).ok());
  EXPECT_EQ(make({{"key", SecretReference{5}}, {"name", std::string("m")}}).message,
            "plugin test_plugin: setting 'name' is given by the role that uses the plugin; remove "
            "it from the plugin's settings");
  EXPECT_EQ(make({}).message,
            "plugin test_plugin: setting 'key' is missing (the key to sign with); write a secret "
            "as env:NAME or file:PATH");
}

} // namespace
} // namespace culvert::test
