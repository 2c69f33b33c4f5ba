#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

const char *const kListen = "listen path=alpha token=all id=L1";

/// A sender and the listener's connection that fetched it, joined.
struct Pair {
  Peer *sender;
  Peer *listener;
};

Pair join(RelayWorld &world, Peer &channel, std::size_t offer, const std::string &framing) {
  Peer &sender = world.peer(std::string("connect path=alpha token=all id=S framing=") + framing);
  EXPECT_TRUE(world.run_until([&] { return !channel.capability(offer).empty(); }));
  Peer &fetcher = world.peer(std::string("accept capability=") + channel.capability(offer) +
                             " id=F framing=" + framing);
  EXPECT_EQ(world.answer_of(fetcher), "joined");
  EXPECT_EQ(world.answer_of(sender), "joined by the relay");
  return {&sender, &fetcher};
}

TEST(RelayJoin, BytesCrossOnOneShard) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer(kListen);
  EXPECT_EQ(channel.answer, "listening");
  const Pair pair = join(world, channel, 0, "raw");
  pair.sender->send("ping");
  pair.listener->send("pong");
  ASSERT_TRUE(world.run_until(
      [&] { return !pair.sender->messages.empty() && !pair.listener->messages.empty(); }));
  EXPECT_EQ(pair.listener->messages[0].bytes, "ping");
  EXPECT_EQ(pair.sender->messages[0].bytes, "pong");
  EXPECT_EQ(world.counters().tunnels.open(), 1U);
  EXPECT_EQ(world.counters().tunnels.bytes_in(), 4U); // while it lives
  EXPECT_EQ(world.counters().tunnels.bytes_out(), 4U);
  EXPECT_EQ(world.log.count("tunnel joined entity=alpha sender=S listener=F "
                            "sender_address=10.0.0.2:"),
            1U)
      << world.log.text();
  EXPECT_EQ(world.counters().pending, 0U);
  EXPECT_EQ(world.connections(), 0U);
}

TEST(RelayJoin, TheOfferHoldsThePublicAddressAndTheSendersFacts) {
  RelayWorld world(test_options(1));
  Peer &channel =
      world.answered_peer("listen path=alpha token=all id=L1 authority=relay.example:9999");
  world.peer("connect path=alpha/below token=all");
  ASSERT_TRUE(world.run_until([&] { return !channel.messages.empty(); }));
  Words offer = split_words(channel.messages[0].bytes);
  EXPECT_EQ(offer["host"], "relay.example");
  EXPECT_EQ(offer["port"], "9999");
  EXPECT_EQ(offer["peer"], "10.0.0.2");
}

TEST(RelayJoin, KindsBordersAndCloseCodesCross) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer(kListen);
  const Pair pair = join(world, channel, 0, "websocket");
  pair.sender->send("text", ChunkKind::kText);
  pair.sender->send("binary", ChunkKind::kBinary);
  pair.sender->finish(4001, "bye");
  constexpr std::uint64_t kCloseMs = 500; // what Microsoft's Java tests wait for
  ASSERT_TRUE(world.run_until([&] { return pair.listener->heard_end.has_value(); }, kCloseMs));
  ASSERT_EQ(pair.listener->messages.size(), 2U);
  EXPECT_EQ(pair.listener->messages[0].bytes, "text");
  EXPECT_EQ(pair.listener->messages[0].kind, ChunkKind::kText);
  EXPECT_EQ(pair.listener->messages[1].bytes, "binary");
  EXPECT_EQ(pair.listener->messages[1].kind, ChunkKind::kBinary);
  EXPECT_FALSE(pair.listener->heard_end->aborted);
  EXPECT_EQ(pair.listener->heard_end->code, 4001);
  EXPECT_EQ(pair.listener->heard_end->reason, "bye");
  // The other direction goes on until its own end.
  pair.listener->send("late", ChunkKind::kText);
  pair.listener->finish(4002, "later");
  ASSERT_TRUE(world.run_until([&] { return pair.sender->heard_end.has_value(); }));
  ASSERT_EQ(pair.sender->messages.size(), 1U);
  EXPECT_EQ(pair.sender->messages[0].bytes, "late");
  pair.sender->close();
  pair.listener->close();
  ASSERT_TRUE(world.run_until([&] { return world.tunnels() == 0; }));
  EXPECT_EQ(world.counters().tunnels.ended(), 1U);
  EXPECT_EQ(world.counters().tunnels.aborted(), 0U);
  EXPECT_EQ(world.counters().tunnels.bytes_in(), 10U);
  EXPECT_EQ(world.counters().tunnels.bytes_out(), 4U);
  EXPECT_EQ(world.log.count("tunnel ended entity=alpha sender=S listener=F how=finished by=sender"),
            1U)
      << world.log.text();
}

/// Framing `messages` has no empty message, none in parts and a largest one: only what cannot say
/// more than that is joined to it.
TEST(RelayJoin, FramingsThatDoNotGoTogetherAreRefused) {
  struct Row {
    const char *sender;
    const char *listener;
    bool joined;
  };
  const Row rows[] = {
      {"raw", "raw", true},
      {"raw", "websocket", true},
      {"websocket", "raw", true},
      {"raw", "messages", true},
      {"messages", "raw", true},
      {"messages", "messages", true},
      {"websocket", "messages", false},
      {"messages", "websocket", false},
      {"messages", "messages largest=small", false},
      {"messages largest=small", "messages", false},
      {"messages largest=small", "messages largest=small", true},
  };
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer(kListen);
  std::size_t offer = 0;
  for (const Row &row : rows) {
    Peer &sender = world.peer(std::string("connect path=alpha token=all framing=") + row.sender);
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(offer).empty(); }));
    Peer &fetcher = world.answered_peer("accept capability=" + channel.capability(offer++) +
                                        " framing=" + row.listener);
    EXPECT_EQ(fetcher.answer, row.joined ? "joined" : "no internal") << row.listener;
    EXPECT_EQ(world.answer_of(sender), row.joined ? "joined by the relay" : "no internal");
    if (row.joined) {
      sender.send(row.listener);
      fetcher.send(row.sender);
      ASSERT_TRUE(
          world.run_until([&] { return !sender.messages.empty() && !fetcher.messages.empty(); }));
      EXPECT_EQ(sender.messages[0].bytes, row.sender);
      EXPECT_EQ(fetcher.messages[0].bytes, row.listener);
    } else if (sender.answer != "no internal") {
      sender.send(""); // it would end the process
      world.world.run_for(1'000);
    }
    sender.drop();
    fetcher.drop();
    ASSERT_TRUE(world.run_until([&] { return world.tunnels() == 0 && world.connections() == 0; }));
  }
}

TEST(RelayJoin, AnAbortOfOneSideReachesTheOther) {
  for (const bool of_sender : {true, false}) {
    RelayWorld world(test_options(2));
    Peer &channel = world.answered_peer(kListen);
    const Pair pair = join(world, channel, 0, "websocket");
    Peer &breaks = of_sender ? *pair.sender : *pair.listener;
    Peer &hears = of_sender ? *pair.listener : *pair.sender;
    breaks.send("last words");
    breaks.abort();
    constexpr std::uint64_t kAbortMs = 1'000;
    ASSERT_TRUE(world.run_until([&] { return hears.heard_end.has_value(); }, kAbortMs));
    EXPECT_TRUE(hears.heard_end->aborted);
    ASSERT_EQ(hears.messages.size(), 1U);
    EXPECT_EQ(hears.messages[0].bytes, "last words");
    hears.close();
    ASSERT_TRUE(world.run_until([&] { return world.tunnels() == 0; }));
    EXPECT_EQ(world.counters().tunnels.aborted(), 1U);
  }
}

TEST(RelayJoin, ConnectionsMoveBetweenShardsWhereTheyMust) {
  RelayWorld world(test_options(2), 3);
  Peer &channel = world.answered_peer(kListen);
  constexpr std::size_t kJoins = 40;
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < kJoins; ++i) {
    pairs.push_back(join(world, channel, i, i % 2 == 0 ? "websocket" : "raw"));
  }
  const std::uint64_t moved = world.counters().tunnels.moved();
  EXPECT_GT(moved, 5U);
  EXPECT_LT(moved, kJoins - 5);
  EXPECT_EQ(world.tunnels(), kJoins);
  for (std::size_t i = 0; i < kJoins; ++i) {
    pairs[i].sender->send("to " + std::to_string(i));
    pairs[i].listener->send("from " + std::to_string(i));
  }
  for (std::size_t i = 0; i < kJoins; ++i) {
    ASSERT_TRUE(world.run_until([&] {
      return !pairs[i].sender->messages.empty() && !pairs[i].listener->messages.empty();
    }));
    EXPECT_EQ(pairs[i].listener->messages[0].bytes, "to " + std::to_string(i));
    EXPECT_EQ(pairs[i].sender->messages[0].bytes, "from " + std::to_string(i));
  }
}

TEST(RelayJoin, ManyBytesCrossBothWaysUnderHarmlessFaults) {
  RelayWorld world(test_options(2), 5, SimFaults::harmless(2'000));
  Peer &channel = world.answered_peer(kListen);
  const Pair pair = join(world, channel, 0, "raw");
  std::string up;
  std::string down;
  for (int i = 0; i < 300'000; ++i) {
    up.push_back(static_cast<char>(i * 7 % 251));
    down.push_back(static_cast<char>(i * 11 % 241));
  }
  pair.sender->send(up);
  pair.listener->send(down);
  const auto heard = [](const Peer &peer) {
    std::string all;
    for (const Message &message : peer.messages) {
      all += message.bytes;
    }
    return all;
  };
  ASSERT_TRUE(world.run_until([&] {
    return heard(*pair.listener).size() == up.size() && heard(*pair.sender).size() == down.size();
  }));
  EXPECT_TRUE(heard(*pair.listener) == up);
  EXPECT_TRUE(heard(*pair.sender) == down);
}

TEST(RelayJoin, TheSenderIsNotReadWhileItWaitsAndLosesNothingItSaidEarly) {
  RelayWorld world(test_options(1));
  Peer &channel = world.answered_peer(kListen);
  Peer &sender = world.peer("connect path=alpha token=all framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  sender.send("early bytes");
  world.world.run_for(1'000);
  Peer &fetcher =
      world.answered_peer(std::string("accept framing=raw capability=") + channel.capability());
  ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
  EXPECT_EQ(fetcher.messages[0].bytes, "early bytes");
}

} // namespace
} // namespace culvert::test
