// Who meets whom, and the bounds of those that wait.
#include "unit/relay/rendezvous_bench.hpp"

#include <set>

namespace culvert::test {
namespace {

TEST_F(RendezvousTest, ACapabilityMeetsItsSenderOnce) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  ASSERT_EQ(sender.capabilities.size(), 1U);
  EXPECT_EQ(sender.capabilities[0].size(), 56U);
  EXPECT_EQ(read_capability(sender.capabilities[0])->shard, 7U);
  const auto met = table.redeem(sender.capabilities[0], "p");
  ASSERT_TRUE(met.ok());
  EXPECT_EQ(met.value().sender, &sender);
  EXPECT_EQ(met.value().channel, channel(1));
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kGone);
  world.run_for(60'000);
  EXPECT_TRUE(sender.unmet.empty());
}

TEST_F(RendezvousTest, AForgedCapabilityMeetsNobodyAndHarmsNobody) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  const std::string real = sender.capabilities[0];
  for (std::size_t i = 0; i < real.size(); ++i) {
    std::string forged = real;
    forged[i] = forged[i] == '0' ? '1' : '0';
    EXPECT_EQ(redeem(forged), Code::kGone) << i;
  }
  const std::vector<std::string> rows{"", "zz", real + "00", real.substr(2), std::string(56, 'g')};
  for (const std::string &malformed : rows) {
    EXPECT_EQ(redeem(malformed), Code::kGone) << malformed;
  }
  EXPECT_EQ(redeem(real, "q"), Code::kGone); // of another protocol
  EXPECT_EQ(redeem(real), Code::kOk);
}

TEST_F(RendezvousTest, NobodyComesInTime) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  world.run_for(RelayLimits{}.rendezvous_ms - 1);
  EXPECT_TRUE(sender.unmet.empty());
  world.run_for(2);
  ASSERT_EQ(sender.unmet.size(), 1U);
  EXPECT_EQ(sender.unmet[0], Code::kTimeout);
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kGone);
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(RendezvousTest, ASenderThatLeftCannotBeMet) {
  listen("one", 1);
  const auto handle = park(sender);
  ASSERT_TRUE(handle.ok());
  table.revoke(handle.value());
  table.revoke(handle.value());
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kGone);
  table.offer_failed(handle.value()); // letters on their way find nothing
  table.channel_lost(channel(1), ChannelEnd::kLost);
  world.run_for(60'000);
  EXPECT_TRUE(sender.unmet.empty());
}

TEST_F(RendezvousTest, LimitsRefuseAndAreGivenBackWhateverEndsTheWait) {
  listen("one", 1);
  for (int round = 0; round < 3; ++round) {
    TestSender each[4];
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(park(each[i]).ok());
    }
    const auto fourth = park(each[3]);
    ASSERT_FALSE(fourth.ok());
    EXPECT_EQ(fourth.status().code, Code::kOverload);
    EXPECT_EQ(redeem(each[0].capabilities[0]), Code::kOk);
    table.revoke(each[1].handle);
    table.refuse_all(Status::failure(Code::kShuttingDown, Source::kRelay, Retry::kBackoff, ""));
    EXPECT_EQ(each[2].unmet, std::vector<Code>{Code::kShuttingDown});
    EXPECT_EQ(table.size(), 0U);
  }
}

TEST_F(RendezvousTest, AFullTableRefusesAndKeepsNoSeat) {
  listen("one", 1);
  sender.bounds = {};
  sender.bounds.pending_per_shard = 100;
  sender.bounds.pending_per_entity = sender.bounds.pending_per_source = 101;
  Rendezvous &full = table;
  for (std::uint32_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(full.park(sender, {"a", "p", {}, {}}, "x").ok());
  }
  for (int i = 0; i < 2; ++i) { // a refusal leaves nothing, or the registry would say no
    const auto refused = full.park(sender, {"a", "p", {}, {}}, "x");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.status().code, Code::kOverload);
    EXPECT_EQ(refused.status().message, "too many senders wait");
  }
  EXPECT_EQ(sender.capabilities.size(), 100U);
  full.refuse_all(Status::failure(Code::kShuttingDown, Source::kRelay, Retry::kBackoff, ""));
  EXPECT_EQ(sender.unmet.size(), 100U);
}

TEST_F(RendezvousTest, NoListenerIsARefusalThatLeavesNothing) {
  const auto parked = park(sender);
  ASSERT_FALSE(parked.ok());
  EXPECT_EQ(parked.status().code, Code::kNoListener);
  EXPECT_EQ(table.size(), 0U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(registry.admit("a", "x", sender.bounds).ok());
  }
}

TEST_F(RendezvousTest, CapabilitiesNeverRepeat) {
  listen("one", 1);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    TestSender each;
    ASSERT_TRUE(park(each).ok());
    EXPECT_TRUE(seen.insert(each.capabilities[0].substr(24)).second);
    table.revoke(each.handle);
  }
}

} // namespace
} // namespace culvert::test
