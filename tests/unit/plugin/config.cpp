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

} // namespace
} // namespace culvert::test
