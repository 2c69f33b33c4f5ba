#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

TEST(RelayChannel, MessagesAreAnsweredInOrder) {
  for (const char *framing : {"websocket", "messages"}) {
    RelayWorld world(test_options(1));
    Peer &channel = world.answered_peer(std::string("listen path=alpha token=all id=L framing=") +
                                        std::string(framing));
    for (const char *message : {"ask", "renew all", "ignore", "ask"}) {
      channel.send(message);
    }
    ASSERT_TRUE(world.run_until([&] { return channel.messages.size() >= 2; }));
    EXPECT_EQ(channel.messages[0].bytes, "answer 1");
    EXPECT_EQ(channel.messages[1].bytes, "answer 4");
    EXPECT_FALSE(channel.heard_end);
  }
}

TEST(RelayChannel, AMessageIsReadWithTheFactsOfItsHead) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L size=small");
  channel.send("facts");
  ASSERT_TRUE(world.run_until([&] { return !channel.messages.empty(); }));
  EXPECT_EQ(channel.messages[0].bytes, "peer=10.0.0.2 size=small");
}

TEST(RelayChannel, WhatAChannelMayNotSayClosesItWithOneLine) {
  struct Row {
    std::string message;
    const char *reason;
  };
  const Row rows[] = {{"nonsense", "protocol"},
                      {"listen", "unsupported"},
                      {std::string(5'000, 'x'), "too-large"},
                      {"empty", "internal"}, // the last two are its protocol's mistakes
                      {"huge", "internal"}};
  for (const Row &row : rows) {
    RelayWorld world(test_options(2));
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
    const std::size_t lines = world.log.lines.size();
    channel.send(row.message);
    channel.send("ask");
    ASSERT_TRUE(world.run_until([&] { return channel.heard_end.has_value(); }));
    EXPECT_EQ(channel.heard_end->code, 4000);
    EXPECT_EQ(channel.heard_end->reason, row.reason);
    EXPECT_TRUE(channel.messages.empty());
    EXPECT_EQ(world.counters().listeners, 0U);
    EXPECT_EQ(world.log.lines.size() - lines, 1U) << world.log.text();
    EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no no-listener");
  }
}

TEST(RelayChannel, AProtocolMayCloseIt) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
  channel.send("close me");
  ASSERT_TRUE(world.run_until([&] { return channel.heard_end.has_value(); }));
  EXPECT_EQ(channel.heard_end->code, 4123);
  EXPECT_EQ(channel.heard_end->reason, "as you wish");
  EXPECT_EQ(world.protocols[0]->channels_gone, 1);
}

TEST(RelayChannel, LastWordsThatItsFramingDoesNotHaveAreLeftOut) {
  for (const std::size_t size : {0U, 1U, 4'096U, 4'097U}) {
    for (const bool messages : {true, false}) {
      RelayWorld world(test_options(1));
      Peer &channel =
          world.answered_peer("listen path=alpha token=all id=L farewell=" + std::to_string(size) +
                              (messages ? " framing=messages" : " framing=websocket"));
      channel.send("nonsense");
      ASSERT_TRUE(world.run_until([&] { return channel.heard_end.has_value(); }));
      const bool said = size <= 4'096 && (size > 0 || !messages);
      ASSERT_EQ(channel.messages.size(), said ? 1U : 0U) << size;
      EXPECT_EQ(said ? channel.messages[0].bytes.size() : 0, said ? size : 0U);
    }
  }
}

TEST(RelayChannel, WhatTheProtocolFailsToSayIsNotSaidAndLogged) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L size=mute");
  channel.send("nonsense");
  Peer &refused = world.peer("connect path=alpha token=garbage size=mute");
  ASSERT_TRUE(world.run_until(
      [&] { return channel.heard_end.has_value() && refused.heard_end.has_value(); }));
  EXPECT_EQ(channel.messages.size(), 0U);
  EXPECT_EQ(refused.answer, "");
  EXPECT_EQ(world.log.count("a plugin has no outcome, so that nothing is said why=no words"), 2U)
      << world.log.text();
}

TEST(RelayChannel, AListenerIsGoneTheMomentItsEndIsRead) {
  for (const bool politely : {true, false}) {
    RelayWorld world(test_options(2));
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
    if (politely) {
      channel.finish(1000); // a Close, and the socket stays
    } else {
      channel.drop();
    }
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    EXPECT_EQ(world.relay->registry().size(), 0U);
    EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no no-listener");
    EXPECT_EQ(world.protocols[0]->channels_gone + world.protocols[1]->channels_gone, 1);
  }
}

TEST(RelayChannel, AListenersGoodbyeIsLoggedWithItsCode) {
  const std::pair<std::uint16_t, const char *> rows[] = {{0, "why=it closed its channel\n"},
                                                         {1000, "why=it closed its channel\n"},
                                                         {1009, "closed its channel with 1009\n"}};
  for (const auto &[code, line] : rows) {
    RelayWorld world(test_options(1));
    world.answered_peer("listen path=alpha token=all id=L framing=websocket").finish(code);
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    EXPECT_TRUE(world.log.text().ends_with(line)) << world.log.text();
  }
}

TEST(RelayChannel, AListenerThatVanishedWithoutAWordIsRemoved) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    RelayWorld world(test_options(2), seed);
    Peer &gone = world.answered_peer("listen path=alpha token=all id=A framing=websocket pinged");
    ASSERT_EQ(world.counters().listeners, 1U);
    world.world.run_for(60'000 + seed * 1'000); // its pongs keep it
    ASSERT_EQ(world.counters().listeners, 1U);
    world.world.lose("10.0.0.1", "10.0.0.2");
    EXPECT_TRUE(world.run_until([&] { return world.counters().listeners == 0; },
                                15'000 + ShardLimits{}.pong_ms));
    EXPECT_EQ(world.relay->registry().size(), 0U);
    EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no no-listener");
    gone.drop();
  }
}

TEST(RelayChannel, AKnownIdReplacesItsOldChannelWhichIsTold) {
  for (std::uint64_t seed = 1; seed < 6; ++seed) { // on one shard and across
    RelayWorld world(test_options(2), seed);
    Peer &old = world.answered_peer("listen path=alpha token=all id=same framing=websocket");
    Peer &fresh = world.answered_peer("listen path=ALPHA token=all id=same framing=websocket");
    ASSERT_TRUE(world.run_until([&] { return old.heard_end.has_value(); }));
    EXPECT_EQ(old.heard_end->code, 4000);
    EXPECT_EQ(old.heard_end->reason, "gone");
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 1; }));
    world.peer("connect path=alpha token=all");
    ASSERT_TRUE(world.run_until([&] { return !fresh.capability().empty(); }));
    EXPECT_EQ(old.capability(), "");
  }
}

TEST(RelayChannel, OneListenerMoreThanAnEntityTakesIsRefusedUntilOneIsGone) {
  WorldOptions options = test_options(2);
  options.limits.listeners_per_entity = 2;
  RelayWorld world(options);
  Peer &one = world.answered_peer("listen path=alpha token=all id=one framing=websocket");
  world.answered_peer("listen path=alpha token=all id=two framing=websocket");
  EXPECT_EQ(world.answered_peer("listen path=alpha token=all id=three").answer, "no quota");
  EXPECT_EQ(world.counters().listeners, 2U);
  EXPECT_NE(world.answered_peer("listen path=beta token=all id=three").answer, "no quota");
  one.drop();
  ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 2; }));
  EXPECT_NE(world.answered_peer("listen path=alpha token=all id=three").answer, "no quota");
  EXPECT_EQ(world.end(), "");
}

TEST(RelayChannel, ASenderMeetsOnlyListenersItAllows) {
  RelayWorld world(test_options(2));
  Peer &one = world.answered_peer("listen path=alpha token=all id=one");
  Peer &two = world.answered_peer("listen path=alpha token=all id=two");
  for (int i = 0; i < 5; ++i) {
    world.peer("connect path=alpha token=all allowed=one");
    world.peer("connect path=alpha token=all denied=two");
  }
  ASSERT_TRUE(world.run_until([&] { return one.messages.size() == 10; }));
  EXPECT_TRUE(two.messages.empty());
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all allowed=one denied=one").answer,
            "no none-allowed");
  EXPECT_EQ(world.answered_peer("connect path=beta token=all allowed=one").answer,
            "no no-listener");
  EXPECT_EQ(world.counters().setups_failed, 2U);
  // A sender that allows itself alone proves its token.
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all id=me allowed=me").answer,
            "no none-allowed");
  EXPECT_EQ(world.counters().setups_failed, 2U);
}

TEST(RelayChannel, AListenerThatOnlyAnswersPingsStaysOnline) {
  RelayWorld world(test_options(2));
  Peer &channel =
      world.answered_peer("listen path=alpha token=all id=one framing=websocket pinged");
  world.world.run_for(600'000);
  EXPECT_FALSE(channel.heard_end.has_value());
  EXPECT_TRUE(channel.messages.empty());
  Peer &sender = world.peer("connect path=alpha token=all framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }, 1'000));
  EXPECT_EQ(world.answered_peer("accept framing=raw capability=" + channel.capability()).answer,
            "joined");
  EXPECT_EQ(world.answer_of(sender), "joined by the relay");
}

TEST(RelayChannel, ASenderThatOneListenerIgnoresIsFetchedByAnother) {
  for (std::uint64_t seed = 1; seed < 9; ++seed) { // on one shard and across
    RelayWorld world(test_options(2), seed);
    Peer &one = world.answered_peer("listen path=alpha token=all id=one");
    Peer &two = world.answered_peer("listen path=alpha token=all id=two");
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    const auto offers = [&] { return one.messages.size() + two.messages.size(); };
    ASSERT_TRUE(world.run_until([&] { return offers() == 1; }, 1'000));
    Peer &deaf = one.messages.empty() ? two : one;
    Peer &hears = one.messages.empty() ? one : two;
    ASSERT_TRUE(world.run_until([&] { return offers() == 2; }, 6'000)) << seed;
    ASSERT_EQ(hears.messages.size(), 1U) << seed;
    EXPECT_EQ(world.answered_peer("accept framing=raw capability=" + hears.capability()).answer,
              "joined");
    EXPECT_EQ(world.answer_of(sender), "joined by the relay");
    EXPECT_EQ(world.answered_peer("accept capability=" + deaf.capability()).answer, "no gone");
    EXPECT_EQ(world.tunnels(), 1U);
  }
}

TEST(RelayChannel, AnOfferToAChannelThatIsLostGoesToAnotherListener) {
  for (std::uint64_t seed = 1; seed < 9; ++seed) { // on one shard and across
    RelayWorld world(test_options(2), seed);
    Peer &one = world.answered_peer("listen path=alpha token=all id=one");
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !one.capability().empty(); }));
    Peer &two = world.answered_peer("listen path=alpha token=all id=two");
    one.drop();
    ASSERT_TRUE(world.run_until([&] { return !two.capability().empty(); }));
    EXPECT_NE(one.capability(), two.capability());
    // The first offer is good as long as nobody has redeemed one.
    const bool first = seed % 2 == 0;
    const std::string used = first ? one.capability() : two.capability();
    const std::string unused = first ? two.capability() : one.capability();
    EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + used).answer,
              "joined");
    EXPECT_EQ(world.answer_of(sender), "joined by the relay");
    EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + unused).answer,
              "no gone");
  }
}

TEST(RelayChannel, ASenderIsRefusedAtOnceWhenTheOnlyListenerThatKnowsOfItIsLost) {
  for (std::uint64_t seed = 1; seed < 9; ++seed) { // on one shard and across
    RelayWorld world(test_options(2), seed);
    Peer &one = world.answered_peer("listen path=alpha token=all id=one framing=websocket");
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !one.capability().empty(); }));
    Peer &two = world.answered_peer("listen path=alpha token=all id=two framing=websocket");
    seed % 2 == 0 ? one.drop() : one.abort();
    ASSERT_TRUE(world.run_until([&] { return !two.capability().empty(); }));
    EXPECT_FALSE(sender.answered()) << seed;
    world.answered_peer("listen path=beta token=all id=elsewhere");
    seed % 3 == 0 ? two.drop() : two.send("nonsense"); // the relay closes the channel of the latter
    ASSERT_TRUE(world.run_until([&] { return sender.answered(); }, 1'000)) << seed;
    EXPECT_EQ(sender.answer, "no no-listener") << seed;
    EXPECT_EQ(world.counters().pending, 0U);
    EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + two.capability())
                  .answer,
              "no gone");
    EXPECT_EQ(world.log.count("connection refused peer=10.0.0.2"), 2U) << world.log.text();
  }
}

TEST(RelayChannel, AListenerThatClosesItsChannelMayStillComeForWhatItWasOffered) {
  for (std::uint64_t seed = 1; seed < 9; ++seed) { // on one shard and across
    RelayWorld world(test_options(2), seed);
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    channel.finish(1000);
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    world.world.run_for(ClientLimits{}.target_dial_ms);
    EXPECT_FALSE(sender.answered()) << seed;
    EXPECT_EQ(
        world.answered_peer(std::string("accept framing=raw capability=") + channel.capability())
            .answer,
        "joined");
    EXPECT_EQ(world.answer_of(sender), "joined by the relay") << seed;
  }
}

TEST(RelayChannel, AJoinedSenderDoesNotMindThatTheChannelIsLost) {
  for (std::uint64_t seed = 1; seed < 5; ++seed) {
    RelayWorld world(test_options(2), seed);
    Peer &channel = world.answered_peer("listen path=alpha token=all id=one");
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    Peer &fetcher =
        world.answered_peer(std::string("accept framing=raw capability=") + channel.capability());
    channel.drop();
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    sender.send("words");
    ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
    EXPECT_EQ(fetcher.messages[0].bytes, "words");
  }
}

TEST(RelayChannel, AListenerThatDoesNotReadIsOfferedABoundedNumberAndOthersGetTheRest) {
  WorldOptions options = test_options(1);
  RelayWorld world(options);
  Peer &stuck = world.answered_peer("listen path=alpha token=all id=stuck");
  stuck.reading = false;
  for (int i = 0; i < 200; ++i) {
    stuck.send("ask");
  }
  world.world.run_for(1'000);
  EXPECT_LE(world.shards[0]->held.held(), kTunnelHeldBytes);
  EXPECT_EQ(world.counters().listeners, 1U);
}

/// Each costs more in frames than in bytes, and all that waits leaves in one turn. How many a
/// listener that does not read may ask for.
int tiny_answers(const char *framing, std::uint64_t queue_bytes) {
  WorldOptions options = test_options(1);
  options.limits.channel_queue_bytes = queue_bytes;
  RelayWorld world(options, 1, {}, true);
  Peer &stuck = world.peer(std::string("listen path=alpha token=all id=stuck framing=") + framing,
                           PeerWays{});
  EXPECT_EQ(world.answer_of(stuck), "listening");
  stuck.reading = false;
  int asked = 0;
  while (asked < 180'000 && world.counters().listeners == 1) {
    for (int i = 0; i < 3'000; ++i, ++asked) {
      stuck.send("?");
    }
    world.world.run_for(1'000);
  }
  stuck.read_on();
  EXPECT_TRUE(world.run_until([&] { return stuck.heard_end.has_value(); }));
  EXPECT_EQ(world.log.count("it asks for more answers than it reads"), 1U) << framing;
  EXPECT_GT(stuck.messages.size(), 10'000U) << framing;
  EXPECT_LE(world.shards[0]->held.peak(), kDirectionHeldBytes);
  return asked;
}

TEST(RelayChannel, TinyAnswersThatNobodyReadsAreBoundedWithTheirFrames) {
  for (const char *framing : {"messages", "websocket"}) {
    const std::uint64_t standard = RelayLimits{}.channel_queue_bytes;
    EXPECT_LT(tiny_answers(framing, standard / 4), tiny_answers(framing, standard)) << framing;
  }
}

TEST(RelayChannel, ItsLossIsALetterToTheShardsThatOfferedToItAndToNoOthers) {
  for (const std::size_t offers : {0U, 1U}) {
    RelayWorld world(test_options(4));
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
    if (offers > 0) {
      world.peer("connect path=alpha token=all");
      ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
      ASSERT_TRUE(world.run_until([&] { return world.letters_out() == 0; }));
    }
    channel.drop();
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    EXPECT_EQ(world.letters_out(), offers); // as its last act
    EXPECT_TRUE(world.run_until([&] { return world.counters().pending == 0; }, 1'000));
  }
}

} // namespace
} // namespace culvert::test
