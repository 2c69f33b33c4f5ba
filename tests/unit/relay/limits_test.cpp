// Each limit of a relay that counts: what it lets in, what is refused then, and that a seat comes
// back.
#include "unit/relay/relay_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

/// How many of these peers the relay has reset.
std::size_t turned_away(const std::deque<RawPeer> &peers) {
  std::size_t ended = 0;
  for (const RawPeer &each : peers) {
    ended += each.ended ? 1 : 0;
    EXPECT_EQ(each.aborted, each.ended); // never a clean, empty answer
  }
  return ended;
}

TEST(RelayLimit, PendingSendersAreLimitedPerSourceAndEntity) {
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

TEST(RelayLimit, TunnelsAndWaitingSendersOfOneEntityAreLimited) {
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

TEST(RelayLimit, SendersOfOneNetworkOf64BitsWaitAsOneSource) {
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

TEST(RelayLimit, SendersOfAUnixSocketAreNotOneSource) {
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

TEST(RelayLimit, ConnectionsThatSayNothingAreLimitedAndTimedOut) {
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
  ASSERT_TRUE(world.run_until([&] { return turned_away(silent) == 2; }));
  EXPECT_EQ(world.counters().unauthenticated, 4U);
  EXPECT_GE(world.log.count("turned away"), 1U);
  EXPECT_LE(world.log.count("turned away"), 2U); // once a shard, whatever the shards accept
  ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayLimit, AShardThatIsFullOfConnectionsTurnsNewOnesAway) {
  WorldOptions options = test_options(1);
  options.limits.connections_per_shard = 2;
  RelayWorld world(options);
  world.answered_peer("listen path=alpha token=all id=L"); // a channel is counted apart
  std::deque<RawPeer> silent;
  for (int i = 0; i < 4; ++i) {
    silent.emplace_back(world.client_shard(), world.address, "");
  }
  ASSERT_TRUE(world.run_until([&] { return turned_away(silent) == 2; }));
  EXPECT_EQ(world.connections(), 2U);
  EXPECT_EQ(world.counters().unauthenticated, 2U); // who is turned away keeps no seat
  EXPECT_EQ(world.log.count("too many connections: new ones are turned away"), 1U);
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayLimit, AShardThatIsFullOfChannelsOrTunnelsSaysSo) {
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
TEST(RelayLimit, AListenerThatCannotMoveToItsSendersShardIsRefusedWhereItIs) {
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

TEST(RelayLimit, ASourceThatSaysNothingTakesItsShareAlone) {
  WorldOptions options = test_options(2);
  options.limits.unauthenticated_per_source = 3;
  RelayWorld world(options);
  std::deque<RawPeer> silent;
  for (int i = 0; i < 5; ++i) {
    silent.emplace_back(world.client_shard(), world.address, "");
  }
  ASSERT_TRUE(world.run_until([&] { return turned_away(silent) == 2; }));
  EXPECT_EQ(world.counters().unauthenticated, 3U);
  Peer &other = world.peer("listen path=alpha token=all id=L", "10.0.0.3");
  EXPECT_EQ(world.answer_of(other), "listening");
  silent.emplace_back(world.client_shard(), world.address, "");
  ASSERT_TRUE(world.run_until([&] { return turned_away(silent) == 3; }));
  // Once, whoever else gets in meanwhile.
  EXPECT_EQ(world.log.count("of one address say nothing yet"), 1U) << world.log.text();
  EXPECT_EQ(world.log.count("source=10.0.0.2"), 1U) << world.log.text();
  ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 0; },
                              RelayLimits{}.handshake_ms + ShardLimits{}.linger_ms + 1'000));
  EXPECT_EQ(world.answered_peer("hello").answer, "hello yourself");
}

TEST(RelayLimit, AShareIsGivenBackOnceHoweverAConnectionEnds) {
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

} // namespace
} // namespace culvert::test
