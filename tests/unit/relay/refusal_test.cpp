// What a relay refuses, with the answer and the line of the log.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

TEST(RelayRefusal, EveryBadHeadIsAnsweredAndLoggedInOneLine) {
  struct Row {
    const char *head;
    const char *answer;
  };
  const Row rows[] = {
      {"connect path=alpha token=all", "no no-listener"},
      {"connect path=beta token=all allowed=L1", "no no-listener"},
      {"connect path=alpha", "no token-missing"},
      {"connect path=alpha token=expired", "no token-expired"},
      {"connect path=alpha token=audience", "no token-audience"},
      {"connect path=alpha token=garbage", "no token-malformed"},
      {"connect path=alpha token=listen", "no token-right"},
      {"listen path=alpha token=send", "no token-right"},
      {"listen path=alpha token=rule:sends", "no token-right"},
      {"listen path=beta token=rule:of_alpha", "no token-signature"},
      {"connect path=nothing token=garbage", "no token-malformed"}, // authorization first
      {"connect path=nothing token=rule:of_alpha", "no token-signature"},
      {"connect path=nothing token=all", "no no-entity"},
      {"listen path=nothing token=rule:of_relay", "no no-entity"},
      {"accept capability=00", "no gone"},
      {"accept", "no gone"},
      {"reject capability=zz status=404", "no gone"},
      {"renew token=all", "no unsupported"},
      {"nonsense", "no protocol"},
      {"hello", "hello yourself"},
  };
  RelayWorld world(test_options(2));
  for (const Row &row : rows) {
    const std::size_t lines = world.log.lines.size();
    Peer &peer = world.answered_peer(row.head);
    EXPECT_EQ(peer.answer, row.answer) << row.head;
    ASSERT_TRUE(world.run_until([&] { return peer.heard_end.has_value(); })) << row.head;
    EXPECT_FALSE(peer.heard_end->aborted) << row.head; // a lingering close
    peer.close();
    ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; })) << row.head;
    const bool fine = std::string_view(row.head) == "hello";
    EXPECT_EQ(world.log.lines.size() - lines, 1U) << world.log.text();
    EXPECT_EQ(world.log.count("connection answered"), fine ? 1U : 0U);
  }
  EXPECT_EQ(world.log.count("garbage"), 0U); // no token in any line
  EXPECT_EQ(world.counters().setups_failed, std::size(rows) - 1);
}

TEST(RelayRefusal, TheLogHasTheEntityOrThePlainBeginningOfThePath) {
  struct Row {
    std::string path, logged;
  };
  const std::string longest(64, 'a');
  const std::string longer = longest + "Kanarie";
  const std::string whole = "path=" + longest + " ";
  const std::string cut = "path=" + longest + "... ";
  const Row rows[] = {
      {"ALPHA/Kanarie?sig=Kanarie", "path=alpha "},
      {"Alpha", "path=alpha "},
      {"no/such_one.2~-", "path=no/such_one.2~- "},
      {"sr%3dKanarie", "path=sr... "},
      {"a&Kanarie", "path=a... "},
      {"=Kanarie", "path=... "},
      {longest, whole},
      {longer, cut},
  };
  RelayWorld world(test_options(1));
  for (const Row &row : rows) {
    for (const char *verb : {"connect", "deny"}) {
      const std::size_t lines = world.log.count(row.logged);
      world.answered_peer(verb + (" token=garbage path=" + row.path)).close();
      EXPECT_EQ(world.log.count(row.logged), lines + 1) << row.path << '\n' << world.log.text();
    }
  }
  EXPECT_EQ(world.log.count("Kanarie"), 0U) << world.log.text();
}

TEST(RelayRefusal, AnAuthPluginThatNeverAnswersCostsItsStepAndNoMore) {
  RelayWorld world(test_options(1));
  Peer &peer = world.peer("connect path=alpha token=silent");
  ASSERT_TRUE(world.run_until([&] { return peer.answered(); }, RelayLimits{}.handshake_ms + 100));
  EXPECT_EQ(peer.answer, "no timeout");
  EXPECT_EQ(world.log.count("authorize took longer than 10 s: plugin silent has not completed"), 1U)
      << world.log.text();
  peer.close();
  EXPECT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 0; }));
}

TEST(RelayRefusal, RulesOfTheEntityAndOfTheRelayCount) {
  RelayWorld world(test_options(1));
  EXPECT_EQ(world.answered_peer("listen path=alpha/x token=rule:of_alpha id=1").answer,
            "listening");
  EXPECT_EQ(world.answered_peer("listen path=BETA token=rule:of_relay id=2").answer, "listening");
  EXPECT_EQ(world.counters().listeners, 2U);
}

TEST(RelayRefusal, ACapabilityIsGoodOnce) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  Peer &sender = world.peer("connect path=alpha token=all framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  const std::string capability = channel.capability();
  std::string forged = capability;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + forged).answer,
            "no gone");
  EXPECT_FALSE(sender.answered());
  EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + capability).answer,
            "joined");
  EXPECT_EQ(world.answer_of(sender), "joined by the relay");
  EXPECT_EQ(world.answered_peer(std::string("accept framing=raw capability=") + capability).answer,
            "no gone");
  EXPECT_EQ(world.answered_peer(std::string("reject status=1 capability=") + capability).answer,
            "no gone");
  EXPECT_EQ(world.tunnels(), 1U);
}

TEST(RelayRefusal, AListenersRejectReachesTheSender) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  for (std::size_t i = 0; i < 8; ++i) { // on one shard and across
    Peer &sender = world.peer("connect path=alpha token=all");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(i).empty(); }));
    Peer &rejecter =
        world.answered_peer(std::string("reject status=502 capability=") + channel.capability(i));
    EXPECT_EQ(rejecter.answer, "refusal taken");
    EXPECT_EQ(world.answer_of(sender), "refused 502");
    sender.close();
    rejecter.close();
  }
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
  EXPECT_EQ(world.counters().pending, 0U);
  EXPECT_EQ(world.counters().tunnels.open(), 0U);
}

TEST(RelayRefusal, NobodyFetchesTheSenderInTime) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  Peer &sender = world.peer("connect path=alpha token=all");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  world.world.run_for(RelayLimits{}.rendezvous_ms - 500);
  EXPECT_FALSE(sender.answered());
  world.world.run_for(1'000);
  EXPECT_EQ(sender.answer, "no timeout");
  EXPECT_EQ(world.answered_peer(std::string("accept capability=") + channel.capability()).answer,
            "no gone");
}

TEST(RelayRefusal, ASenderThatLeavesRevokesItsOffer) {
  for (const bool politely : {true, false}) {
    RelayWorld world(test_options(2));
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
    Peer &sender = world.peer("connect path=alpha token=all");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    politely ? sender.close() : sender.drop();
    ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 0; }));
    EXPECT_EQ(world.answered_peer(std::string("accept capability=") + channel.capability()).answer,
              "no gone");
    EXPECT_EQ(world.log.count("sender left"), 1U);
  }
}

TEST(RelayRefusal, AnOfferTheProtocolCannotMakeIsToldToTheSender) {
  RelayWorld world(test_options(1));
  world.answered_peer("listen path=alpha token=all id=L");
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all size=huge").answer, "no too-large");
  EXPECT_EQ(world.counters().pending, 0U);
}

TEST(RelayRefusal, MalformedBytesEndTheirConnectionAlone) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  const std::string rows[] = {
      std::string("\xff\xff", 2),  // a message beyond 40 KiB
      std::string("\0\0", 2),      // an empty one
      std::string("\0\5nope!", 7), // a verb nobody knows
      std::string("\0\1", 2),      // cut short
      std::string("GET / HTTP/1.1\r\n\r\n"),
  };
  std::size_t refused = 0;
  for (const std::string &bytes : rows) {
    const std::size_t lines = world.log.lines.size();
    RawPeer peer(world.client_shard(), world.address, bytes, true);
    ASSERT_TRUE(world.run_until([&] { return peer.ended; }));
    ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
    EXPECT_EQ(world.log.lines.size() - lines, 1U) << world.log.text();
    const bool answered = peer.heard.find("no ") != std::string::npos;
    EXPECT_EQ(answered, bytes != std::string("\0\1", 2)) << world.log.text();
    refused += answered ? 1 : 0;
    EXPECT_EQ(world.log.count("connection refused"), refused) << world.log.text();
  }
  // The neighbour did not notice.
  channel.send("ask");
  ASSERT_TRUE(world.run_until([&] { return !channel.messages.empty(); }));
  EXPECT_EQ(channel.messages[0].bytes, "answer 1");
}

} // namespace
} // namespace culvert::test
