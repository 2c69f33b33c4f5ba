#include "core/limits.hpp"
#include "role/relay/policy.hpp"
#include "role/relay/rules.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

Rule rule(std::string name) {
  return {std::move(name), kRightListen, {1}};
}

std::string rules_of(const EntityTable::Match &match) {
  std::string names;
  for (const Rule *each : match.rules) {
    names += each->name + " ";
  }
  return names;
}

TEST(Entities, APathBelongsToTheLongestEntityOnASegmentBorder) {
  const EntityTable table({{"hyco", {rule("h")}}, {"a", {rule("a")}}, {"A/b", {rule("ab")}}},
                          {rule("own")});
  struct Row {
    const char *path;
    const char *entity; // nullptr: none
    const char *rules;
  };
  const Row rows[] = {
      {"hyco", "hyco", "h own "},
      {"HYCO", "hyco", "h own "},
      {"hyco/sub/x", "hyco", "h own "},
      {"hyco/", "hyco", "h own "},
      {"hyco2", nullptr, "own "},
      {"hyc", nullptr, "own "},
      {"a", "a", "a own "},
      {"a/B/c", "A/b", "ab own "},
      {"a/bc", "a", "a own "},
      {"a/x/b", "a", "a own "},
      {"", nullptr, "own "},
      {"/", nullptr, "own "},
      {"/hyco", nullptr, "own "},
      {"nothing/hyco", nullptr, "own "},
  };
  for (const Row &row : rows) {
    const EntityTable::Match match = table.match(row.path);
    EXPECT_EQ(match.entity == nullptr ? "(none)" : *match.entity,
              row.entity == nullptr ? "(none)" : row.entity)
        << row.path;
    EXPECT_EQ(rules_of(match), row.rules) << row.path;
  }
}

TEST(Entities, AnEndlessPathCostsNoMoreThanTheLongestEntity) {
  std::vector<EntityOptions> entities;
  for (int i = 0; i < 40; ++i) { // so many that the table hashes what it looks up
    entities.push_back({"entity-" + std::to_string(i), {}});
  }
  const EntityTable table(std::move(entities), {});
  const std::string endless(39'000, '/');
  for (int i = 0; i < 1'000; ++i) { // with a look-up for each slash this takes minutes
    ASSERT_NE(table.match("entity-1" + endless).entity, nullptr);
    EXPECT_EQ(*table.match("entity-1" + endless).entity, "entity-1");
    EXPECT_EQ(table.match("a" + endless).entity, nullptr);
  }
}

TEST(Entities, PathsThatCannotBeAskedForAreRefusedWithWhatToWrite) {
  struct Row {
    std::vector<EntityOptions> entities;
    const char *part;
  };
  const Row rows[] = {
      {{{"", {}}}, "entity ''"},
      {{{"/a", {}}}, "'/a'"},
      {{{"a/", {}}}, "'a/'"},
      {{{"a//b", {}}}, "'a//b'"},
      {{{"a b", {}}}, "'a b': write its path with at most 260"},
      {{{std::string(261, 'a'), {}}}, "write its path with at most 260"},
      {{{"../x", {}}}, "'../x': write its path without '.' and '..'"},
      {{{"a/./b", {}}}, "'a/./b': write its path without '.' and '..'"},
      {{{"a/b", {}}, {"A/B", {}}}, "twice"},
  };
  for (const Row &row : rows) {
    const Status status = EntityTable::check(row.entities);
    EXPECT_EQ(status.code, Code::kConfig) << row.part;
    EXPECT_NE(status.message.find(row.part), std::string::npos) << status.message;
  }
  EXPECT_TRUE(EntityTable::check({{"a", {}}, {"a/b", {}}, {".a/b..", {}}}).ok());
}

TEST(Entities, RulesThatCannotBeUsedAreRefusedWithWhatToWrite) {
  const auto named = [](std::size_t size) { return rule(std::string(size, 'r')); };
  struct Row {
    std::vector<Rule> rules;
    const char *message;
  };
  const Row rows[] = {
      {{named(1), named(kRuleNameBytes)}, ""},
      {{named(0)}, "a rule has no name or one of over 256 characters: give it a shorter one"},
      {{named(kRuleNameBytes + 1)},
       "a rule has no name or one of over 256 characters: give it a shorter one"},
      {{rule("first"), {"sec\nond", 0, {1}}},
       "rule 'sec?ond' gives no right: give it listen, send or manage"},
      {{rule("same"), rule("SAME")},
       "rule 'SAME' is given twice (case does not count): remove one of them"},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(EntityTable::check_rules(row.rules).message, row.message);
    EXPECT_EQ(EntityTable::check({{"a", row.rules}}).message, row.message);
    RelayOptions options;
    options.names = {"relay.example"};
    options.entities = {{"a", {}}};
    options.own_rules = row.rules;
    EXPECT_EQ(RelayPolicy::check(options).message, row.message);
  }
}

TEST(Names, AreHostNamesOrAddressesAlone) {
  const std::string label(49, 'a');
  const std::string most = label + "." + label + "." + label + "." + label + "." + label + ".abc";
  ASSERT_EQ(most.size(), kHostNameBytes);
  for (const std::string &good :
       {std::string("relay.example"), std::string("a"), std::string("relay_1.example"),
        std::string("10.0.0.1"), std::string("::1"), most}) {
    EXPECT_EQ(RelayPolicy::check_names({good}).message, "");
  }
  for (const std::string &bad :
       {std::string(""), std::string(".relay.example"), std::string("-relay.example"),
        std::string("relay..example"), std::string("relay.example.."), std::string("."),
        std::string("relay example"), std::string("relay.example:443"), std::string("[::1]"),
        std::string("*.example"), std::string("wss://relay.example"), std::string("caf\xc3\xa9"),
        most + "d"}) {
    const Status status = RelayPolicy::check_names({"good.example", bad});
    EXPECT_EQ(status.code, Code::kConfig) << bad;
    EXPECT_NE(status.message.find("': write a host name or an IP address alone, without scheme"),
              std::string::npos)
        << bad;
  }
}

TEST(Authority, IsHostAndPortOrNothing) {
  struct Row {
    const char *text;
    const char *host;
    unsigned port;
  };
  const Row rows[] = {
      {"relay.example", "relay.example", 443},
      {"relay.example:8443", "relay.example", 8443},
      {"10.0.0.1:80", "10.0.0.1", 80},
      {"[::1]", "::1", 443},
      {"[::1]:99", "::1", 99},
      {"relay:", "", 0},
      {"relay:0", "", 0},
      {"relay:65536", "", 0},
      {"relay:+1", "", 0},
      {"[::1", "", 0},
      {"[::1]99", "", 0},
      {"", "", 443},
  };
  for (const Row &row : rows) {
    const Authority read = parse_authority(row.text);
    EXPECT_EQ(read.host, row.host) << row.text;
    EXPECT_EQ(read.port, row.port) << row.text;
  }
}

TEST(Authority, TheOfferedAddressIsTheOptionElseWhatWasDialledElseTheFirstName) {
  RelayOptions options;
  options.names = {"relay.example", "10.0.0.1"};
  options.entities = {{"a", {}}};
  const auto address = [&](std::string_view authority) {
    const Authority read = RelayPolicy(options).public_address(authority, 7443);
    return read.host + ":" + std::to_string(read.port);
  };
  EXPECT_EQ(address("RELAY.example:8443"), "RELAY.example:8443");
  EXPECT_EQ(address("10.0.0.1"), "10.0.0.1:443");
  EXPECT_EQ(address("stranger.example:1"), "relay.example:7443");
  EXPECT_EQ(address(""), "relay.example:7443");
  EXPECT_EQ(address("relay.example:99999"), "relay.example:7443");
  options.public_host = "outside.example";
  EXPECT_EQ(address("relay.example:8443"), "outside.example:443");
  options.public_port = 4430;
  EXPECT_EQ(address("relay.example:8443"), "outside.example:4430");
}

} // namespace
} // namespace culvert::test
