// The loopback address of an endpoint's name.
#include "config/config_reader.hpp"
#include "config/endpoint_address.hpp"
#include "unit/config/config_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

using Addresses = std::map<std::string, std::string>;

HostPort endpoint(const std::string &text) {
  return HostPort::parse(text, "endpoint").value();
}

// The numbers are the promise that other machines, and later versions, give the same: computed from
// the SHA-256 of the name with another program (sha256sum).
TEST(EndpointAddress, IsTheNamesOwnOnEveryMachine) {
  const Addresses found = endpoint_addresses({"db.internal", "web.internal"});
  EXPECT_EQ(found,
            (Addresses{{"db.internal", "127.184.121.144"}, {"web.internal", "127.217.251.170"}}));
}

TEST(EndpointAddress, DoesNotDependOnOtherNames) {
  std::set<std::string> names{"db.internal"};
  const std::string alone = endpoint_addresses(names)["db.internal"];
  for (int i = 0; i < 200; ++i) {
    names.insert("host-" + std::to_string(i) + ".internal");
  }
  const Addresses all = endpoint_addresses(names);
  EXPECT_EQ(all.at("db.internal"), alone);
  std::set<std::string> different;
  for (const auto &[name, address] : all) {
    different.insert(address);
    EXPECT_TRUE(address.starts_with("127.")) << address;
    EXPECT_FALSE(address.starts_with("127.0.")) << address;
  }
  EXPECT_EQ(different.size(), names.size());
}

// db-1094.internal and db-1687.internal have the same first address (found by search).
TEST(EndpointAddress, GivesTheLaterOfTwoCollidingNamesTheNextFreeOne) {
  const std::string first = endpoint_addresses({"db-1094.internal"})["db-1094.internal"];
  ASSERT_EQ(first, endpoint_addresses({"db-1687.internal"})["db-1687.internal"]);
  const Addresses both = endpoint_addresses({"db-1094.internal", "db-1687.internal"});
  EXPECT_EQ(both.at("db-1094.internal"), first);
  EXPECT_EQ(both.at("db-1687.internal"), "127.39.105.180");
}

TEST(EndpointAddress, ComparesNamesWithoutCaseAndWithoutADotAtTheEnd) {
  EXPECT_EQ(endpoint_name("DB.Internal."), "db.internal");
  SenderConfig one, other, third;
  one.endpoint = endpoint("DB.Internal.:1433");
  other.endpoint = endpoint("db.internal:443");
  third.endpoint = endpoint("web.internal:443");
  bind_to_endpoints({&one, &other, &third});
  EXPECT_EQ(one.bind.host, other.bind.host);
  EXPECT_EQ(one.bind.port, 1433);
  EXPECT_EQ(other.bind.port, 443);
  EXPECT_NE(third.bind.host, other.bind.host);
}

TEST(EndpointAddress, IsForNamesThatAppsLookUp) {
  const auto fault = [](const std::string &text) {
    return check_endpoint_name(endpoint(text), "Relay.example").message;
  };
  EXPECT_EQ(fault("db.internal:1433"), "");
  EXPECT_EQ(fault("sql_1:1433"), "");
  EXPECT_EQ(fault("relay.example.com:443"), "");
  EXPECT_NE(fault("10.0.0.5:1433").find("has no name that apps look up"), std::string::npos);
  EXPECT_NE(fault("[fd00::1]:1433").find("has no name that apps look up"), std::string::npos);
  EXPECT_NE(fault("unix:/run/db").find("has no name that apps look up"), std::string::npos);
  EXPECT_NE(fault("a..b:1").find("has a name that DNS does not know"), std::string::npos);
  EXPECT_NE(fault("a!b:1").find("has a name that DNS does not know"), std::string::npos);
  EXPECT_NE(fault(std::string(64, 'a') + ":1").find("DNS does not know"), std::string::npos);
  EXPECT_NE(fault("LocalHost:1").find("is this machine"), std::string::npos);
  EXPECT_NE(fault("db.localhost.:1").find("is this machine"), std::string::npos);
  EXPECT_NE(fault("relay.example:443").find("is the relay itself"), std::string::npos);
}

constexpr const char *kSender = "[[sender]]\nconnection_string = \"file:sql.connection\"\n";

TEST(EndpointAddress, IsWhereASenderOfAFileListensThatNamesNoOther) {
  ConfigWorld world;
  const LoadedConfig loaded =
      world.load(std::string(kSender) + "endpoint = \"db.internal:1433\"\n" + kSender +
                 "endpoint = \"db.internal:1434\"\n" + kSender +
                 "endpoint = \"web.internal:1435\"\nbind = \"127.0.0.1:1435\"\n");
  EXPECT_EQ(world.lines(loaded), std::vector<std::string>{});
  const auto &senders = loaded.configuration.senders;
  ASSERT_EQ(senders.size(), 3U);
  EXPECT_EQ(senders[0].bind.text(), "127.184.121.144:1433");
  EXPECT_EQ(senders[1].bind.text(), "127.184.121.144:1434");
  EXPECT_EQ(senders[2].bind.text(), "127.0.0.1:1435");
}

TEST(EndpointAddress, OfAFileIsAMistakeWhereThereIsNoNameForIt) {
  ConfigWorld world;
  const std::string neither(kSender);
  const LoadedConfig loaded = world.load(neither + neither + "endpoint = \"relay.example:443\"\n" +
                                         neither + "endpoint = \"*.internal:443\"\n");
  EXPECT_EQ(
      world.lines(loaded),
      (std::vector<std::string>{
          "1:1 bind is missing; write bind = \"127.0.0.1:1433\", or endpoint = "
          "\"db.internal:1433\"",
          "5:12 endpoint 'relay.example:443' is the relay itself, whose name must keep its "
          "address; write where apps connect as bind",
          "8:12 endpoint '*.internal:443' has a '*'; write the name or address of one host"}));
}

TEST(EndpointAddress, OfTwoSendersIsAMistake) {
  ConfigWorld world;
  const LoadedConfig loaded =
      world.load(std::string(kSender) + "endpoint = \"db.internal:1433\"\n" + kSender +
                 "endpoint = \"DB.internal.:1433\"\n");
  EXPECT_EQ(world.lines(loaded),
            (std::vector<std::string>{
                "6:12 endpoint: its name leads to 127.184.121.144:1433: the role of line 1 listens "
                "on 127.184.121.144:1433; write another endpoint, or where apps connect as bind"}));
}

TEST(EndpointAddress, IsWhereASenderOfFlagsListensThatNamesNoOther) {
  ConfigWorld world;
  SecretReader secrets;
  FlagValues flags{{"--connection-string", {"file:" + world.folder + "/sql.connection"}}};
  const LoadedConfig neither = load_flags("sender", flags, secrets);
  EXPECT_EQ(world.lines(neither),
            (std::vector<std::string>{
                "0:0 --bind is missing; write --bind ADDRESS:PORT, or --endpoint HOST:PORT"}));
  flags["--endpoint"] = {"db.internal:1433"};
  EXPECT_EQ(load_flags("sender", flags, secrets).configuration.senders.front().bind.text(),
            "127.184.121.144:1433");
  flags["--endpoint"] = {"10.0.0.5:1433"};
  EXPECT_EQ(world.lines(load_flags("sender", flags, secrets)),
            (std::vector<std::string>{
                "0:0 endpoint '10.0.0.5:1433' has no name that apps look up; write where they "
                "connect as bind"}));
}

} // namespace
} // namespace culvert::test
