// Which listeners a waiting sender is offered to, and how long they may come.
#include "unit/relay/rendezvous_bench.hpp"

#include <deque>
#include <set>

namespace culvert::test {
namespace {

TEST_F(RendezvousTest, AnOfferThatIsNotWrittenGoesToEveryOtherListenerOnce) {
  listen("one", 1);
  listen("two", 2);
  listen("three", 3);
  ASSERT_TRUE(park(sender).ok());
  for (std::size_t offers = 2; offers <= 3; ++offers) {
    table.offer_failed(sender.handle);
    ASSERT_EQ(sender.capabilities.size(), offers);
    EXPECT_TRUE(sender.unmet.empty());
  }
  const auto distinct = [](const std::vector<std::string> &words) {
    return std::set<std::string>(words.begin(), words.end()).size();
  };
  EXPECT_EQ(distinct(sender.listeners), 3U);
  EXPECT_EQ(distinct(sender.capabilities), 3U);
  table.offer_failed(sender.handle);
  EXPECT_EQ(sender.capabilities.size(), 3U);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kNoListener});
  EXPECT_EQ(sender.why, "no other listener can be offered this sender");
}

TEST_F(RendezvousTest, ALostChannelIsReplacedAndBothOffersStayGoodUntilOneIsRedeemed) {
  for (const std::size_t redeemed : {0U, 1U}) {
    TestSender each;
    listen("one", 1);
    listen("two", 2);
    ASSERT_TRUE(park(each).ok());
    table.offer_written(each.handle);
    table.channel_lost(channel(slot_of(each.listeners[0])), ChannelEnd::kLost);
    ASSERT_EQ(each.capabilities.size(), 2U);
    table.offer_written(each.handle);
    EXPECT_EQ(redeem(each.capabilities[redeemed]), Code::kOk);
    EXPECT_EQ(redeem(each.capabilities[1 - redeemed]), Code::kGone);
  }
}

TEST_F(RendezvousTest, ALostChannelCostsTheSendersThatItWasOfferedAndNoOthers) {
  constexpr std::size_t kMany = 1'000;
  std::deque<TestSender> senders(kMany + 2);
  for (TestSender &each : senders) {
    each.bounds = {};
    each.bounds.pending_per_source = each.bounds.pending_per_entity = 2 * kMany;
  }
  listen("busy", 1);
  for (std::size_t i = 0; i < kMany; ++i) {
    ASSERT_TRUE(park(senders[i]).ok());
    table.offer_written(senders[i].handle);
  }
  registry.remove("a", channel(1));
  listen("idle", 2);
  ASSERT_TRUE(park(senders[kMany]).ok());
  ASSERT_TRUE(park(senders[kMany + 1]).ok());
  table.offer_written(senders[kMany].handle); // the other's offer is under way
  registry.remove("a", channel(2));
  EXPECT_EQ(table.channel_lost(channel(3), ChannelEnd::kLost), 0U);
  EXPECT_EQ(table.channel_lost(channel(2), ChannelEnd::kLost), 1U);
  EXPECT_EQ(table.channel_lost(channel(2), ChannelEnd::kLost), 0U);
  EXPECT_EQ(senders[kMany].unmet, std::vector<Code>{Code::kNoListener});
  EXPECT_EQ(redeem(senders[0].capabilities[0]), Code::kOk);
  EXPECT_EQ(table.channel_lost(channel(1), ChannelEnd::kLost), kMany - 1);
  EXPECT_EQ(table.size(), 1U);
  table.revoke(senders[kMany + 1].handle);
}

TEST_F(RendezvousTest, TheDeadlineDoesNotRestartWithTheSecondOffer) {
  sender.bounds.offer_repeat_ms = 0;
  listen("one", 1);
  listen("two", 2);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  world.run_for(20'000);
  table.channel_lost(channel(slot_of(sender.listeners[0])), ChannelEnd::kLost);
  ASSERT_EQ(sender.capabilities.size(), 2U);
  world.run_for(10'001);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kTimeout});
}

TEST_F(RendezvousTest, TheWaitEndsWithTheOnlyChannelThatCarriesItsOffer) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  table.channel_lost(channel(2), ChannelEnd::kLost); // another's
  EXPECT_TRUE(sender.unmet.empty());
  registry.remove("a", channel(1));
  table.channel_lost(channel(1), ChannelEnd::kLost);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kNoListener});
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kGone);
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(RendezvousTest, AnOfferThatIsStillOnItsWayToALostChannelIsCountedOnce) {
  listen("one", 1);
  listen("two", 2);
  ASSERT_TRUE(park(sender).ok());
  const ChannelRef first = channel(slot_of(sender.listeners[0]));
  registry.remove("a", first);
  table.channel_lost(
      first, ChannelEnd::kLost); // the letter is not back yet: it will say that it was not written
  EXPECT_EQ(sender.capabilities.size(), 1U);
  table.offer_failed(sender.handle);
  ASSERT_EQ(sender.capabilities.size(), 2U);
  table.offer_written(sender.handle);
  table.channel_lost(first, ChannelEnd::kLost);
  EXPECT_TRUE(sender.unmet.empty());
  EXPECT_EQ(redeem(sender.capabilities[1]), Code::kOk);
}

TEST_F(RendezvousTest, NobodyIsOfferedMoreThanTheBound) {
  sender.bounds.offers_per_sender = 3;
  for (std::uint32_t slot = 1; slot <= sender.bounds.offers_per_sender + 1; ++slot) {
    listen("listener " + std::to_string(slot), slot);
  }
  ASSERT_TRUE(park(sender).ok());
  for (std::size_t i = 0; i < sender.bounds.offers_per_sender; ++i) {
    EXPECT_TRUE(sender.unmet.empty());
    const ChannelRef lost = channel(slot_of(sender.listeners[i]));
    table.offer_written(sender.handle);
    registry.remove("a", lost);
    table.channel_lost(lost, ChannelEnd::kLost);
  }
  EXPECT_EQ(sender.capabilities.size(), sender.bounds.offers_per_sender);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kNoListener});
}

// --- a listener that ignores an offer ------------------------------------------------------------

constexpr std::uint64_t kRepeatMs = RelayLimits{}.offer_repeat_ms;

TEST_F(RendezvousTest, AnOfferThatNobodyComesForIsRepeatedOnceToAnotherListenerAndBothStayGood) {
  listen("one", 1);
  listen("two", 2);
  listen("three", 3);
  for (const std::size_t redeemed : {0U, 1U}) {
    TestSender each;
    ASSERT_TRUE(park(each).ok());
    table.offer_written(each.handle);
    world.run_for(kRepeatMs - 1);
    EXPECT_EQ(each.capabilities.size(), 1U);
    world.run_for(2);
    ASSERT_EQ(each.capabilities.size(), 2U);
    EXPECT_NE(each.listeners[0], each.listeners[1]);
    table.offer_written(each.handle);
    world.run_for(20'000);
    EXPECT_EQ(each.capabilities.size(), 2U);
    EXPECT_EQ(redeem(each.capabilities[redeemed]), Code::kOk);
    EXPECT_EQ(redeem(each.capabilities[1 - redeemed]), Code::kGone);
    EXPECT_EQ(table.channel_lost(channel(slot_of(each.listeners[0])), ChannelEnd::kLost), 0U);
    EXPECT_EQ(table.channel_lost(channel(slot_of(each.listeners[1])), ChannelEnd::kLost), 0U);
  }
}

TEST_F(RendezvousTest, ARepeatedOfferHasTheDeadlineOfTheFirst) {
  listen("one", 1);
  listen("two", 2);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  world.run_for(kRepeatMs + 1);
  table.offer_written(sender.handle);
  world.run_for(RelayLimits{}.rendezvous_ms - kRepeatMs - 2);
  EXPECT_TRUE(sender.unmet.empty());
  world.run_for(2);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kTimeout});
}

TEST_F(RendezvousTest, WithoutAnotherListenerTheOfferIsRepeatedToTheOneThatComes) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  world.run_for(2 * kRepeatMs + 1);
  EXPECT_EQ(sender.capabilities.size(), 1U);
  EXPECT_TRUE(sender.unmet.empty());
  listen("two", 2);
  world.run_for(kRepeatMs);
  ASSERT_EQ(sender.listeners, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kOk);
}

TEST_F(RendezvousTest, ARepetitionIsASettingAndCountsAsAnOffer) {
  listen("one", 1);
  listen("two", 2);
  struct Row {
    std::uint64_t repeat_ms, offers, wanted;
  };
  for (const Row &row : {Row{0, 8, 1}, Row{kRepeatMs, 1, 1}, Row{kRepeatMs, 2, 2},
                         Row{20'000, 8, 1}, Row{9'000, 8, 2}}) {
    TestSender each;
    each.bounds.offer_repeat_ms = row.repeat_ms;
    each.bounds.offers_per_sender = row.offers;
    ASSERT_TRUE(park(each).ok());
    table.offer_written(each.handle);
    world.run_for(10'000);
    EXPECT_EQ(each.capabilities.size(), row.wanted) << row.repeat_ms << " " << row.offers;
    table.revoke(each.handle);
  }
}

TEST_F(RendezvousTest, OfTwoListenersWithAnOfferOneMayBeLost) {
  for (const std::size_t first : {0U, 1U}) { // that is lost
    for (const bool written : {true, false}) {
      TestSender each;
      listen("one", 1);
      listen("two", 2);
      listen("three", 3);
      ASSERT_TRUE(park(each).ok());
      table.offer_written(each.handle);
      world.run_for(kRepeatMs + 1);
      ASSERT_EQ(each.capabilities.size(), 2U);
      if (written || first == 1) {
        table.offer_written(each.handle);
      }
      const ChannelRef lost = channel(slot_of(each.listeners[first]));
      const ChannelRef other = channel(slot_of(each.listeners[1 - first]));
      registry.remove("a", lost);
      EXPECT_EQ(table.channel_lost(lost, ChannelEnd::kLost), 1U);
      EXPECT_EQ(each.capabilities.size(), 2U) << "the other one may come";
      if (!written && first == 0) {
        table.offer_written(each.handle);
      }
      registry.remove("a", other);
      EXPECT_EQ(table.channel_lost(other, ChannelEnd::kLost), 1U);
      ASSERT_EQ(each.capabilities.size(), 3U) << "now none of them may";
      table.offer_failed(each.handle);
      EXPECT_EQ(each.unmet, std::vector<Code>{Code::kNoListener});
    }
  }
}

TEST_F(RendezvousTest, ARepetitionThatIsNotWrittenGoesToAThirdAndEndsNoWait) {
  listen("one", 1);
  listen("two", 2);
  listen("three", 3);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  world.run_for(kRepeatMs + 1);
  table.offer_failed(sender.handle);
  ASSERT_EQ(sender.capabilities.size(), 3U);
  table.offer_failed(sender.handle);
  EXPECT_EQ(sender.capabilities.size(), 3U);
  EXPECT_TRUE(sender.unmet.empty());
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kOk);
}

TEST_F(RendezvousTest, ARepetitionThatTheProtocolCannotMakeEndsNoWait) {
  listen("one", 1);
  listen("two", 2);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  sender.refusal = Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever, "too large");
  world.run_for(kRepeatMs + 1);
  EXPECT_TRUE(sender.unmet.empty());
  EXPECT_EQ(redeem(sender.capabilities[0]), Code::kOk);
}

// --- a listener that leaves ----------------------------------------------------------------------

TEST_F(RendezvousTest, AListenerThatSaidGoodbyeMayComeUntilItsBound) {
  listen("one", 1);
  for (const bool comes : {true, false}) {
    TestSender each;
    ASSERT_TRUE(park(each).ok());
    table.offer_written(each.handle);
    table.channel_lost(channel(1), ChannelEnd::kGoodbye);
    world.run_for(RelayLimits{}.goodbye_ms - 1);
    EXPECT_TRUE(each.unmet.empty());
    if (comes) {
      EXPECT_EQ(redeem(each.capabilities[0]), Code::kOk);
      continue;
    }
    world.run_for(2);
    EXPECT_EQ(each.unmet, std::vector<Code>{Code::kNoListener});
    EXPECT_EQ(redeem(each.capabilities[0]), Code::kGone);
  }
}

TEST_F(RendezvousTest, AGoodbyeDoesNotMoveTheDeadline) {
  listen("one", 1);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  world.run_for(RelayLimits{}.rendezvous_ms - 1'000);
  table.channel_lost(channel(1), ChannelEnd::kGoodbye);
  world.run_for(999);
  EXPECT_TRUE(sender.unmet.empty());
  world.run_for(2);
  EXPECT_EQ(sender.unmet, std::vector<Code>{Code::kTimeout});
}

TEST_F(RendezvousTest, OfSeveralOffersOneThatMayStillComeKeepsTheWait) {
  struct Row {
    const char *second; // what becomes of the offer behind the goodbye
    std::uint64_t at_ms;
    bool waits;
  };
  const Row rows[] = {{"not written", 0, true},
                      {"lost", 0, true},
                      {"lost", RelayLimits{}.goodbye_ms - 1, true},
                      {"lost", RelayLimits{}.goodbye_ms + 1, false},
                      {"not possible", 0, true}};
  for (const Row &row : rows) {
    TestSender each;
    listen("one", 1);
    listen("two", 2);
    ASSERT_TRUE(park(each).ok());
    table.offer_written(each.handle);
    const ChannelRef first = channel(slot_of(each.listeners[0]));
    registry.remove("a", first);
    if (row.second == std::string("not possible")) {
      each.refusal = Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever, "too large");
    }
    table.channel_lost(first, ChannelEnd::kGoodbye);
    world.run_for(row.at_ms);
    EXPECT_TRUE(each.unmet.empty());
    if (row.second == std::string("not written")) {
      table.offer_failed(each.handle);
    } else if (row.second == std::string("lost")) {
      table.offer_written(each.handle);
      table.channel_lost(channel(slot_of(each.listeners[1])), ChannelEnd::kLost);
    }
    EXPECT_EQ(each.unmet.empty(), row.waits) << row.second << " " << row.at_ms;
    EXPECT_EQ(redeem(each.capabilities[0]), row.waits ? Code::kOk : Code::kGone);
    registry.remove("a", channel(1));
    registry.remove("a", channel(2));
  }
}

TEST_F(RendezvousTest, AnOfferBehindAGoodbyeHasTheWholeDeadline) {
  listen("one", 1);
  listen("two", 2);
  ASSERT_TRUE(park(sender).ok());
  table.offer_written(sender.handle);
  table.channel_lost(channel(slot_of(sender.listeners[0])), ChannelEnd::kGoodbye);
  table.offer_written(sender.handle);
  world.run_for(RelayLimits{}.rendezvous_ms - 1);
  EXPECT_TRUE(sender.unmet.empty());
  EXPECT_EQ(redeem(sender.capabilities[1]), Code::kOk);
}

TEST_F(RendezvousTest, AnOfferTheProtocolCannotMakeEndsTheWait) {
  listen("one", 1);
  sender.refusal = Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever, "too large");
  const auto parked = park(sender);
  ASSERT_FALSE(parked.ok());
  EXPECT_EQ(parked.status().code, Code::kTooLarge);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(sender.unmet.empty());
}

} // namespace
} // namespace culvert::test
