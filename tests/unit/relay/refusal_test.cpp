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
  const Row rows[] = {
      {"ALPHA/Kanarie?sig=Kanarie", "path=alpha "},
      {"Alpha", "path=alpha "},
      {"no/such_one.2~-", "path=no/such_one.2~- "},
      {"sr%3dKanarie", "path=sr... "},
      {"a&Kanarie", "path=a... "},
      {"=Kanarie", "path=... "},
      {std::string(64, 'a'), "path=" + std::string(64, 'a') + " "},
      {std::string(64, 'a') + "Kanarie", "path=" + std::string(64, 'a') + "... "},
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

TEST(RelayRefusal, PendingSendersAreLimitedPerSourceAndEntity) {
  WorldOptions options = test_options(2);
  options.limits.pending_per_entity = 5;
  options.limits.pending_per_source = 3;
  RelayWorld world(options);
  world.answered_peer("listen path=alpha token=all id=L");
  std::deque<Peer *> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(&world.peer("connect path=alpha token=all"));
  }
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 3; }));
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no overload");
  waiting.push_back(&world.peer("connect path=alpha token=all", "10.0.0.3"));
  waiting.push_back(&world.peer("connect path=alpha token=all", "10.0.0.3"));
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 5; }));
  Peer &sixth = world.peer("connect path=alpha token=all", "10.0.0.4");
  EXPECT_EQ(world.answer_of(sixth), "no overload");
  waiting.front()->drop();
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 4; }));
  world.peer("connect path=alpha token=all");
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 5; }));
}

TEST(RelayRefusal, TunnelsAndWaitingSendersOfOneEntityAreLimited) {
  WorldOptions options = test_options(2);
  options.limits.tunnels_per_entity = 2;
  RelayWorld world(options);
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  Peer &joined = world.peer("connect path=alpha token=all framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  Peer &fetcher = world.answered_peer("accept framing=raw capability=" + channel.capability());
  ASSERT_EQ(world.answer_of(joined), "joined by the relay");
  world.peer("connect path=alpha token=all");
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 1; }));
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no quota");
  EXPECT_EQ(world.log.told("the entity has 2 tunnels and waiting senders; tunnels_per_entity is 2"),
            1U);
  EXPECT_EQ(world.answered_peer("connect path=beta token=all").answer, "no no-listener");
  joined.drop();
  fetcher.drop();
  ASSERT_TRUE(world.run_until([&] { return world.tunnels() == 0; }));
  world.peer("connect path=alpha token=all");
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 2; }));
}

TEST(RelayRefusal, SendersOfOneNetworkOf64BitsWaitAsOneSource) {
  WorldOptions options = test_options(1);
  options.at = *Address::from_literal("2001:db8::1", 4430);
  options.limits.pending_per_source = 3;
  RelayWorld world(options);
  const auto knock = [&](const std::string &host) -> Peer & {
    return world.peer("connect path=alpha token=all", host);
  };
  Peer &channel = world.peer("listen path=alpha token=all id=L", "2001:db8:9::1");
  ASSERT_EQ(world.answer_of(channel), "listening");
  for (const char *host : {"2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"}) {
    knock(host);
  }
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 3; }));
  EXPECT_EQ(world.answer_of(knock("2001:db8:0:1::4")), "no overload");
  knock("2001:db8:0:2::1");
  EXPECT_TRUE(world.run_until([&] { return world.counters().pending == 4; }));
}

TEST(RelayRefusal, SendersOfAUnixSocketAreNotOneSource) {
  WorldOptions options = test_options(1);
  options.at = Address::unix_path("/run/relay");
  options.limits.pending_per_source = 2;
  options.limits.pending_per_entity = 4;
  RelayWorld world(options);
  const auto knock = [&]() -> Peer & {
    return world.peer("connect path=alpha token=all", "10.0.0.1");
  };
  Peer &channel = world.peer("listen path=alpha token=all id=L", "10.0.0.1");
  ASSERT_EQ(world.answer_of(channel), "listening");
  for (int i = 0; i < 4; ++i) {
    knock();
  }
  EXPECT_TRUE(world.run_until([&] { return world.counters().pending == 4; }));
  EXPECT_EQ(world.answer_of(knock()), "no overload"); // of the entity
}

TEST(RelayRefusal, ConnectionsThatSayNothingAreLimitedAndTimedOut) {
  WorldOptions options = test_options(2);
  options.limits.unauthenticated = 4;
  RelayWorld world(options);
  // A listener that is online takes no seat.
  Peer &listener = world.peer("listen path=alpha token=all id=L", "10.0.0.9");
  ASSERT_EQ(world.answer_of(listener), "listening");
  ASSERT_EQ(world.counters().unauthenticated, 0U);
  std::deque<RawPeer> silent;
  for (int i = 0; i < 6; ++i) {
    silent.emplace_back(world.client_shard(), world.address, i % 2 == 0 ? "" : "\x01");
  }
  ASSERT_TRUE(world.run_until([&] {
    std::size_t ended = 0;
    for (const RawPeer &each : silent) {
      ended += each.ended ? 1 : 0;
      EXPECT_EQ(each.aborted, each.ended); // never a clean, empty answer
    }
    return ended == 2;
  }));
  EXPECT_EQ(world.counters().unauthenticated, 4U);
  EXPECT_GE(world.log.count("turned away"), 1U);
  EXPECT_LE(world.log.count("turned away"), 2U); // once a shard, whatever the shards accept
  ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayRefusal, AShardThatIsFullOfConnectionsTurnsNewOnesAway) {
  WorldOptions options = test_options(1);
  options.limits.connections_per_shard = 2;
  RelayWorld world(options);
  world.answered_peer("listen path=alpha token=all id=L"); // a channel is counted apart
  std::deque<RawPeer> silent;
  for (int i = 0; i < 4; ++i) {
    silent.emplace_back(world.client_shard(), world.address, "");
  }
  ASSERT_TRUE(world.run_until([&] {
    std::size_t ended = 0;
    for (const RawPeer &each : silent) {
      ended += each.ended ? 1 : 0;
      EXPECT_EQ(each.aborted, each.ended); // never a clean, empty answer
    }
    return ended == 2;
  }));
  EXPECT_EQ(world.connections(), 2U);
  EXPECT_EQ(world.counters().unauthenticated, 2U); // who is turned away keeps no seat
  EXPECT_EQ(world.log.count("too many connections: new ones are turned away"), 1U);
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayRefusal, AShardThatIsFullOfChannelsOrTunnelsSaysSo) {
  WorldOptions options = test_options(1);
  options.limits.connections_per_shard = 2;
  RelayWorld world(options);
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L1");
  EXPECT_EQ(world.answered_peer("listen path=beta token=all id=L2").answer, "listening");
  Peer &third = world.answered_peer("listen path=beta token=all id=L3");
  EXPECT_EQ(third.answer, "no overload");
  EXPECT_EQ(world.log.count("too many control channels"), 1U) << world.log.text();
  EXPECT_EQ(world.counters().listeners, 2U);
  third.close();
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
  for (std::size_t i = 0; i < 3; ++i) {
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(i).empty(); }));
    Peer &fetcher = world.answered_peer("accept framing=raw capability=" + channel.capability(i));
    EXPECT_EQ(fetcher.answer, i < 2 ? "joined" : "no overload");
    EXPECT_EQ(world.answer_of(sender), i < 2 ? "joined by the relay" : "no overload");
  }
  EXPECT_EQ(world.log.count("too many tunnels"), 2U) << world.log.text(); // to each of the two
  EXPECT_EQ(world.tunnels(), 2U);
}

/// The shard that has the sender is full, so that the listener's connection cannot go there.
TEST(RelayRefusal, AListenerThatCannotMoveToItsSendersShardIsRefusedWhereItIs) {
  WorldOptions options = test_options(2);
  options.limits.connections_per_shard = 2;
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    RelayWorld world(options, seed);
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
    world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    std::deque<RawPeer> silent; // until the sender's shard has no place
    while (world.parts[read_capability(channel.capability())->shard]->connections() < 2) {
      silent.emplace_back(world.client_shard(), world.address, "");
      world.world.run_for(10);
    }
    Peer &fetcher = world.peer("accept framing=raw capability=" + channel.capability());
    ASSERT_TRUE(world.run_until([&] { return fetcher.answered() || fetcher.heard_end; }));
    if (world.log.count("why=too many connections") == 1) {
      EXPECT_EQ(fetcher.answer, "no overload");
      EXPECT_EQ(world.counters().pending, 1U); // the sender still waits
      ++refused;
    }
    ASSERT_TRUE(world.run_until(
        [&] {
          return std::all_of(silent.begin(), silent.end(),
                             [](const RawPeer &each) { return each.ended; });
        },
        RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  }
  EXPECT_GT(refused, 0U);
}

TEST(RelayRefusal, ASourceThatSaysNothingTakesItsShareAlone) {
  WorldOptions options = test_options(2);
  options.limits.unauthenticated_per_source = 3;
  RelayWorld world(options);
  std::deque<RawPeer> silent;
  for (int i = 0; i < 5; ++i) {
    silent.emplace_back(world.client_shard(), world.address, "");
  }
  const auto turned_away = [&] {
    std::size_t ended = 0;
    for (const RawPeer &each : silent) {
      ended += each.ended ? 1 : 0;
      EXPECT_EQ(each.aborted, each.ended); // never a clean, empty answer
    }
    return ended;
  };
  ASSERT_TRUE(world.run_until([&] { return turned_away() == 2; }));
  EXPECT_EQ(world.counters().unauthenticated, 3U);
  Peer &other = world.peer("listen path=alpha token=all id=L", "10.0.0.3");
  EXPECT_EQ(world.answer_of(other), "listening");
  silent.emplace_back(world.client_shard(), world.address, "");
  ASSERT_TRUE(world.run_until([&] { return turned_away() == 3; }));
  // Once, whoever else gets in meanwhile.
  EXPECT_EQ(world.log.count("of one address say nothing yet"), 1U) << world.log.text();
  EXPECT_EQ(world.log.count("source=10.0.0.2"), 1U) << world.log.text();
  ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayRefusal, AShareIsGivenBackOnceHoweverAConnectionEnds) {
  WorldOptions options = test_options(2);
  options.limits.unauthenticated_per_source = 1;
  RelayWorld world(options);
  const auto all_back = [&] {
    return world.run_until([&] { return world.counters().unauthenticated == 0; });
  };
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  for (std::size_t i = 0; i < 8; ++i) { // on one shard and across
    Peer &sender = world.peer("connect path=alpha token=all");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(i).empty(); }));
    const std::string verb = i < 4 ? "accept" : "reject status=502";
    EXPECT_NE(world.answered_peer(verb + " capability=" + channel.capability(i)).answer, "");
    EXPECT_NE(world.answer_of(sender), "");
    for (const char *head : {"connect path=alpha", "connect path=no token=all", "accept"}) {
      Peer &refused = world.answered_peer(head);
      EXPECT_EQ(refused.answer.substr(0, 3), "no ");
      refused.close();
      ASSERT_TRUE(all_back()) << head;
    }
    RawPeer cut(world.client_shard(), world.address, "\x01", true);
    ASSERT_TRUE(world.run_until([&] { return cut.ended; }));
    ASSERT_TRUE(all_back());
  }
  EXPECT_EQ(world.log.count("turned away"), 0U) << world.log.text();
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
