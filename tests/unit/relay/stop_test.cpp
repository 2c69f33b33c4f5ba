#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

Peer &parked_sender(RelayWorld &world) {
  Peer &sender = world.peer("connect path=alpha token=all framing=raw");
  EXPECT_TRUE(world.run_until([&] { return world.counters().pending == 1; }));
  return sender;
}

TEST(RelayStop, AnIdleRelayIsDoneAtOnce) {
  for (const bool drains : {true, false}) {
    RelayWorld world(test_options(3));
    drains ? world.drain() : world.drop();
    EXPECT_EQ(world.done_count, 0U); // never inside the call
    ASSERT_TRUE(world.run_until([&] { return world.all_done(); }, 10));
    EXPECT_EQ(world.world.open_sockets(), 0U);
  }
}

TEST(RelayStop, ADrainTellsEveryoneAndWaitsForTunnels) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
  Peer &joined = parked_sender(world);
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  Peer &fetcher =
      world.answered_peer(std::string("accept framing=raw capability=") + channel.capability());
  Peer &waiting = parked_sender(world);
  world.drain();
  ASSERT_TRUE(world.run_until([&] { return channel.heard_end.has_value(); }));
  EXPECT_EQ(channel.heard_end->reason, "shutting-down");
  EXPECT_EQ(world.answer_of(waiting), "no shutting-down");
  channel.close();
  waiting.close();
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
  EXPECT_FALSE(world.all_done());
  joined.send("still here");
  ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
  joined.finish();
  fetcher.finish();
  joined.close();
  fetcher.close();
  ASSERT_TRUE(world.run_until([&] { return world.all_done(); }, 5'000));
  EXPECT_EQ(world.counters().tunnels.aborted(), 0U);
}

TEST(RelayStop, AShardThatStopsFirstLeavesTheSendersOfOthersToTheirOwn) {
  std::size_t later = 0;
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    RelayWorld world(test_options(2), seed);
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L framing=websocket");
    Peer &sender = parked_sender(world);
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    world.parts[seed % 2]->drain();
    world.world.run_for(100);
    later += sender.answered() ? 0 : 1;
    world.parts[1 - seed % 2]->drain();
    EXPECT_EQ(world.answer_of(sender), "no shutting-down") << seed;
  }
  EXPECT_GT(later, 0U);
}

TEST(RelayStop, TheGraceOfADrainEnds) {
  WorldOptions options = test_options(2);
  options.shard_limits.drain_grace_ms = 3'000;
  RelayWorld world(options);
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  Peer &sender = parked_sender(world);
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  world.answered_peer(std::string("accept framing=raw capability=") + channel.capability());
  world.answer_of(sender);
  world.drain();
  world.world.run_for(2'900);
  EXPECT_EQ(world.tunnels(), 1U);
  ASSERT_TRUE(world.run_until([&] { return world.all_done(); }, 200));
  EXPECT_EQ(world.counters().tunnels.aborted(), 1U);
  EXPECT_EQ(world.log.count("how=dropped by=host"), 1U) << world.log.text();
}

TEST(RelayStop, WhoeverComesDuringADrainIsRefused) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  Peer &sender = parked_sender(world);
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  RawPeer late(world.client_shard(), world.address, std::string("\0", 1));
  ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 1; }));
  world.drain();
  late.send("\x1e"
            "connect path=alpha token=all  ");
  ASSERT_TRUE(world.run_until([&] { return late.ended; }));
  ASSERT_GT(late.heard.size(), 2U);
  EXPECT_EQ(late.heard.substr(2), "no shutting-down");
  EXPECT_EQ(world.answer_of(sender), "no shutting-down");
}

TEST(RelayStop, EverythingIsKilledAtEveryMomentAndNothingIsLeft) {
  // One run of the whole story, cut after each number of steps; end() asserts that nothing is left.
  std::uint64_t runs_with_tunnels = 0;
  std::uint64_t moved = 0;
  for (int steps = 0; steps < 900; steps += 7) {
    RelayWorld world(test_options(2), static_cast<std::uint64_t>(steps) + 1);
    Peer &channel = world.peer("listen path=alpha token=all id=L framing=websocket");
    Peer *fetcher = nullptr;
    for (int i = 0; i < 3; ++i) {
      world.peer("connect path=alpha token=all framing=websocket");
    }
    for (int i = 0; i < steps; ++i) {
      world.world.step();
      if (i % 60 == 30) {
        world.peer("connect path=alpha token=all framing=websocket");
      }
      if (fetcher == nullptr && !channel.capability().empty()) {
        fetcher =
            &world.peer(std::string("accept framing=websocket capability=") + channel.capability());
        world.peer(std::string("accept framing=websocket capability=") + channel.capability(1));
      }
      if (fetcher != nullptr && fetcher->messages.empty() && fetcher->answer == "joined" &&
          i % 5 == 0) {
        fetcher->send("words");
      }
    }
    runs_with_tunnels += world.tunnels() > 0 ? 1 : 0;
    moved += world.counters().tunnels.moved();
    if (steps % 2 == 0) {
      world.drain();
      world.world.step();
    }
    ASSERT_EQ(world.end(), "") << "after " << steps << " steps";
  }
  EXPECT_GT(runs_with_tunnels, 20U);
  EXPECT_GT(moved, 10U);
}

TEST(RelayStop, FaultsOfEveryKindLeaveNothing) {
  std::uint64_t joined = 0;
  std::uint64_t refused_accepts = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RelayWorld world(test_options(2), seed, SimFaults::all(3'000));
    for (int round = 0; round < 4; ++round) {
      Peer &channel =
          world.peer("listen path=alpha token=all framing=websocket id=L" + std::to_string(round));
      for (int i = 0; i < 6; ++i) {
        world.peer("connect path=alpha token=all framing=websocket");
      }
      world.world.run_for(200);
      for (std::size_t i = 0; i < 6; ++i) {
        if (!channel.capability(i).empty()) {
          world.peer((i % 3 == 0 ? "reject status=1 capability=" : "accept capability=") +
                     channel.capability(i) + " framing=websocket");
        }
      }
      world.world.run_for(200);
    }
    joined += world.tunnels() + world.counters().tunnels.ended();
    refused_accepts += world.world.fault_counts().of(SimFault::kNoDescriptorOnAccept);
    ASSERT_EQ(world.end(), "") << "seed " << seed;
  }
  EXPECT_GT(joined, 50U);
  EXPECT_GT(refused_accepts, 0U);
}

} // namespace
} // namespace culvert::test
