// The life of a control channel's token, on the simulated clock.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

constexpr std::uint64_t kGraceMs = RelayLimits{}.token_grace_ms;

std::string until(const RelayWorld &world, std::int64_t seconds, const std::string &token = "all") {
  return token + "@" + std::to_string(world.world.wall_s() + seconds);
}

Peer &listening(RelayWorld &world, const std::string &token, const std::string &path = "alpha") {
  return world.answered_peer("listen path=" + path + " token=" + token + " id=L framing=websocket");
}

/// The reason with which the relay closed it; "open" if it did not within this time.
std::string closed_within(RelayWorld &world, Peer &channel, std::uint64_t within_ms) {
  if (!world.run_until([&] { return channel.heard_end.has_value(); }, within_ms)) {
    return "open";
  }
  EXPECT_EQ(channel.heard_end->code, 4000);
  return channel.heard_end->reason;
}

WorldOptions without_rule() {
  WorldOptions options = test_options(1);
  options.entities[0].rules.clear();
  return options;
}

TEST(RelayChannelToken, AChannelEndsAtTheEndOfItsTokenAndTheGrace) {
  for (const std::int64_t life_s : {1, 60, 3'600}) {
    RelayWorld world(test_options(2));
    Peer &channel = listening(world, until(world, life_s));
    const std::uint64_t whole_ms = static_cast<std::uint64_t>(life_s) * 1'000 + kGraceMs;
    EXPECT_EQ(closed_within(world, channel, whole_ms - 1'000), "open");
    EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
    EXPECT_EQ(world.counters().listeners, 0U);
    EXPECT_EQ(world.log.told("expired and was not renewed"), 1U) << world.log.text();
  }
}

TEST(RelayChannelToken, TheGraceIsASetting) {
  WorldOptions options = test_options(1);
  options.limits.token_grace_ms = 5'000;
  RelayWorld world(options);
  Peer &channel = listening(world, until(world, 60));
  EXPECT_EQ(closed_within(world, channel, 64'000), "open");
  EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
}

TEST(RelayChannelToken, ATokenWithoutAnEndListensForEver) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, "all");
  EXPECT_EQ(closed_within(world, channel, 30ULL * 24 * 3'600'000), "open");
}

TEST(RelayChannelToken, ARenewalMovesTheEnd) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, until(world, 60));
  for (int i = 0; i < 60; ++i) {
    world.world.run_for(75'000);
    channel.send("renew " + until(world, 60));
  }
  EXPECT_EQ(closed_within(world, channel, 60'000 + kGraceMs - 1'000), "open");
  EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
  EXPECT_EQ(world.log.told("listener renewed its token"), 60U);
}

/// As Microsoft's clients renew: at the end of a token, not before it.
TEST(RelayChannelToken, ARenewalBetweenTheEndOfATokenAndItsGraceIsInTime) {
  struct Row {
    const char *client;
    std::int64_t life_s;
    std::int64_t renew_at_s; // after the registration or the renewal before; 0: never
    int times;
    bool good;
  };
  const Row rows[] = {{".NET and Java, at the end", 3'600, 3'600, 1, true},
                      {".NET, not before 4 minutes", 60, 240, 1, true},
                      {"hyco with a function, each hour of a day", 3'600, 3'600, 24, true},
                      {"a second before the end of the grace", 3'600, 3'899, 1, true},
                      {"hyco with a string", 3'600, 0, 0, true},
                      {"Java 0.0.6, an object's name at the end", 3'600, 3'600, 1, false}};
  for (const Row &row : rows) {
    SCOPED_TRACE(row.client);
    RelayWorld world(test_options(2));
    Peer &channel = listening(world, until(world, row.life_s));
    const std::uint64_t renew_at_ms = static_cast<std::uint64_t>(row.renew_at_s) * 1'000;
    for (int i = 0; i < row.times; ++i) {
      ASSERT_EQ(closed_within(world, channel, renew_at_ms), "open") << i;
      channel.send("renew " + (row.good ? until(world, row.life_s) : std::string("gibberish")));
    }
    if (row.good) {
      const std::uint64_t whole_ms = static_cast<std::uint64_t>(row.life_s) * 1'000 + kGraceMs;
      EXPECT_EQ(closed_within(world, channel, whole_ms - 1'000), "open");
      EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
    } else {
      EXPECT_EQ(closed_within(world, channel, 1'000), "token-malformed");
    }
    EXPECT_EQ(world.log.told("listener renewed its token"), row.good ? row.times : 0U);
    EXPECT_EQ(listening(world, until(world, row.life_s)).answer, "listening");
    EXPECT_EQ(world.counters().listeners, 1U);
  }
}

TEST(RelayChannelToken, ARenewalMayShortenTheTimeToo) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, until(world, 3'600));
  channel.send("renew " + until(world, 10));
  EXPECT_EQ(closed_within(world, channel, kGraceMs + 9'000), "open");
  EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
}

TEST(RelayChannelToken, ARefusedRenewalClosesTheChannelAtOnce) {
  const std::pair<const char *, const char *> rows[] = {
      {"expired", "token-expired"},      {"audience", "token-audience"},
      {"gibberish", "token-malformed"},  {"", "token-missing"},
      {"send", "token-right"},           {"rule:sends", "token-right"},
      {"rule:nobody", "token-signature"}};
  for (const auto &[token, reason] : rows) {
    RelayWorld world(test_options(2));
    Peer &channel = listening(world, "all");
    channel.send("renew " + std::string(token));
    EXPECT_EQ(closed_within(world, channel, 1'000), reason) << token;
    EXPECT_EQ(world.counters().listeners, 0U);
    EXPECT_EQ(world.end(), "");
  }
}

TEST(RelayChannelToken, ARenewalIsJudgedByTheRulesOfItsTime) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, "rule:of_alpha");
  world.use(without_rule());
  EXPECT_EQ(closed_within(world, channel, 60'000), "open"); // what runs goes on
  channel.send("renew rule:of_alpha");
  EXPECT_EQ(closed_within(world, channel, 1'000), "token-signature");
}

TEST(RelayChannelToken, AChannelWhoseRuleIsGoneOrHasLostListenEndsAfterTheGrace) {
  WorldOptions sends = test_options(1);
  sends.entities[0].rules[0].rights = kRightSend;
  for (const std::int64_t life_s : {0, 1, 3'600}) { // 0: without an end
    for (const auto &[options, reason] :
         {std::pair{without_rule(), "token-signature"}, std::pair{sends, "token-right"}}) {
      SCOPED_TRACE(std::to_string(life_s) + " s, " + reason);
      RelayWorld world(test_options(1));
      Peer &channel =
          listening(world, life_s == 0 ? "rule:of_alpha" : until(world, life_s, "rule:of_alpha"));
      Peer &other = world.answered_peer("listen path=alpha token=rule:of_relay id=O "
                                        "framing=websocket");
      world.use(options);
      const std::uint64_t whole_ms = kGraceMs + (life_s == 1 ? 1'000 : 0);
      EXPECT_EQ(closed_within(world, channel, whole_ms - 2'000), "open");
      EXPECT_EQ(world.log.told("token is refused since the reload"), 1U) << world.log.text();
      EXPECT_EQ(closed_within(world, channel, 4'000), reason);
      EXPECT_EQ(closed_within(world, other, 3'600'000), "open");
      EXPECT_EQ(world.counters().listeners, 1U);
    }
  }
}

TEST(RelayChannelToken, AGoodRenewalOrTheRuleItselfSavesAChannelWhoseRuleWasGone) {
  for (const bool renews : {true, false}) {
    RelayWorld world(test_options(1));
    Peer &channel = listening(world, until(world, 3'600, "rule:of_alpha"));
    world.use(without_rule());
    EXPECT_EQ(closed_within(world, channel, kGraceMs - 2'000), "open");
    if (renews) {
      channel.send("renew " + until(world, 3'600, "rule:of_relay"));
    } else {
      world.use(test_options(1));
    }
    EXPECT_EQ(closed_within(world, channel, 3'600'000 - 2'000), "open");
    EXPECT_EQ(closed_within(world, channel, kGraceMs + 4'000), "token-expired");
  }
}

TEST(RelayChannelToken, RenewalsInALoopDoNotFillTheLog) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, "all");
  for (int i = 0; i < 100; ++i) {
    channel.send("renew all");
    world.world.run_for(100);
  }
  EXPECT_EQ(world.log.count("listener renewed its token"), 100U);
  EXPECT_EQ(world.log.told("listener renewed its token"), 16U + 2) << "and number 32 and 64";
  world.world.run_for(RelayLimits{}.refusal_memory_ms);
  channel.send("renew all");
  world.world.run_for(100);
  EXPECT_EQ(world.log.told("listener renewed its token"), 16U + 2 + 1);
}

TEST(RelayChannelToken, ATokenIsJudgedAgainBehindARenewalThatIsJudgedByTheOldRules) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, "rule:of_alpha");
  channel.send("renew silent");
  world.world.run_for(1'000);
  world.use(without_rule());
  EXPECT_EQ(closed_within(world, channel, kGraceMs), "open");
  EXPECT_EQ(closed_within(world, channel, 15'000), "token-signature");
}

TEST(RelayChannelToken, AChannelThatBeginsWithRulesOfBeforeIsJudgedAgain) {
  RelayWorld world(test_options(1));
  Peer &channel = world.peer("listen path=alpha token=rule:of_alpha id=L framing=websocket");
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 1; }));
  world.use(without_rule());
  ASSERT_EQ(world.answer_of(channel), "listening");
  EXPECT_EQ(closed_within(world, channel, kGraceMs + 2'000), "token-signature");
}

TEST(RelayChannelToken, AChannelMayEndWhileItsTokenIsJudgedAgain) {
  for (const bool relay_ends : {true, false}) {
    RelayWorld world(test_options(1));
    Peer &channel = listening(world, "slow");
    world.use(without_rule()); // judged after 1 s
    if (relay_ends) {
      world.drop();
    } else {
      channel.drop();
    }
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    EXPECT_EQ(world.end(), "");
  }
}

/// An entity below its own is what its path names now.
TEST(RelayChannelToken, ARenewalForAnotherEntityClosesTheChannel) {
  WorldOptions more = test_options(1);
  more.entities.push_back({"alpha/below", {}});
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, "all", "alpha/below");
  world.use(more);
  EXPECT_EQ(closed_within(world, channel, 60'000), "open");
  channel.send("renew all");
  EXPECT_EQ(closed_within(world, channel, 1'000), "no-entity");
}

TEST(RelayChannelToken, ARenewalThatIsNeverJudgedChangesNothing) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, until(world, 60));
  channel.send("renew silent");
  EXPECT_EQ(closed_within(world, channel, 60'000 + kGraceMs - 1'000), "open");
  EXPECT_EQ(world.log.told("plugin silent has not completed its call"), 1U) << world.log.text();
  EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
}

TEST(RelayChannelToken, OfRenewalsThatComeTogetherTheLastCounts) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, until(world, 60));
  channel.send("renew silent");
  channel.send("renew expired"); // replaced before it is judged
  channel.send("renew " + until(world, 7'200));
  EXPECT_EQ(closed_within(world, channel, 7'200'000 + kGraceMs - 1'000), "open");
  EXPECT_EQ(closed_within(world, channel, 2'000), "token-expired");
}

TEST(RelayChannelToken, AChannelMayEndWhileARenewalIsJudged) {
  for (const bool dropped : {true, false}) {
    RelayWorld world(test_options(2));
    Peer &channel = listening(world, "all");
    channel.send("renew silent");
    world.world.run_for(1'000);
    if (dropped) {
      channel.drop();
    } else {
      channel.finish(1000);
    }
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    EXPECT_EQ(world.end(), "");
  }
}

TEST(RelayChannelToken, TheWallClockIsLookedAtAgain) {
  RelayWorld world(test_options(1));
  Peer &channel = listening(world, until(world, 3'600));
  world.world.jump_wall(2 * 3'600);
  EXPECT_EQ(closed_within(world, channel, 61'000), "token-expired");
  Peer &second = listening(world, until(world, 3'600));
  world.world.jump_wall(-3'600);
  EXPECT_EQ(closed_within(world, second, 7'200'000 + kGraceMs - 1'000), "open");
  EXPECT_EQ(closed_within(world, second, 2'000), "token-expired");
}

TEST(RelayChannelToken, TunnelsLiveOnWhenTheChannelHasEnded) {
  RelayWorld world(test_options(2));
  Peer &channel = listening(world, until(world, 1));
  Peer &sender = world.peer("connect path=alpha token=" + until(world, 1) + " framing=websocket");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  Peer &fetch =
      world.answered_peer("accept capability=" + channel.capability() + " framing=websocket");
  ASSERT_EQ(world.answer_of(sender), "joined by the relay");
  ASSERT_EQ(closed_within(world, channel, kGraceMs + 3'000), "token-expired");
  world.world.run_for(3'600'000);
  sender.send("still here");
  ASSERT_TRUE(world.run_until([&] { return !fetch.messages.empty(); }));
  EXPECT_EQ(fetch.messages[0].bytes, "still here");
  EXPECT_EQ(world.tunnels(), 1U);
}

} // namespace
} // namespace culvert::test
