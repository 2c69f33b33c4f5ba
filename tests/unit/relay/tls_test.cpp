// The relay behind TLS: the protocol by ALPN word, HTTP heads, moves of encrypted connections.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

const PeerWays kHttp{HeadForm::kHttp, nullptr, "http/1.1"};

TEST(RelayTls, ConnectionsOfBothProtocolsJoinAndMove) {
  RelayWorld world(test_options(2), 4, {}, true);
  Peer &plain = world.peer("listen path=alpha token=all id=L1", PeerWays{});
  Peer &http = world.peer("listen path=alpha token=all id=L2 framing=websocket", kHttp);
  EXPECT_EQ(world.answer_of(plain), "listening");
  EXPECT_EQ(world.answer_of(http), "101 listening");
  for (Peer *channel : {&plain, &http}) {
    const bool is_http = channel == &http;
    const PeerWays ways = is_http ? kHttp : PeerWays{HeadForm::kMessage, nullptr, "test/1"};
    for (std::size_t i = 0; i < 8; ++i) {
      Peer &sender = world.peer("connect path=alpha token=all framing=websocket", ways);
      ASSERT_TRUE(world.run_until([&] { return !channel->capability(i).empty(); }));
      Peer &fetcher = world.peer(
          std::string("accept framing=websocket capability=") + channel->capability(i), ways);
      ASSERT_EQ(world.answer_of(fetcher), is_http ? "101 joined" : "joined");
      ASSERT_EQ(world.answer_of(sender),
                is_http ? "101 joined by the relay" : "joined by the relay");
      const std::string up(100'000, static_cast<char>('a' + i));
      sender.send(up, ChunkKind::kBinary);
      fetcher.send("down", ChunkKind::kText);
      ASSERT_TRUE(
          world.run_until([&] { return !fetcher.messages.empty() && !sender.messages.empty(); }));
      EXPECT_TRUE(fetcher.messages[0].bytes == up);
      EXPECT_EQ(sender.messages[0].bytes, "down");
      fetcher.finish(4003, "enough");
      ASSERT_TRUE(world.run_until([&] { return sender.heard_end.has_value(); }));
      EXPECT_EQ(sender.heard_end->code, 4003);
      sender.finish();
      sender.close();
      fetcher.close();
    }
  }
  ASSERT_TRUE(world.run_until([&] { return world.tunnels() == 0; }));
  EXPECT_EQ(world.counters().tunnels.aborted(), 0U) << world.log.text();
  EXPECT_GT(world.counters().tunnels.moved(), 2U);
  EXPECT_LT(world.counters().tunnels.moved(), 14U);
}

TEST(RelayTls, HttpRefusalsAreTheProtocolsOrTheEngines) {
  struct Row {
    const char *head;
    const char *answer;
  };
  const Row rows[] = {
      {"connect path=alpha token=all framing=websocket", "404 no no-listener"},
      {"connect path=alpha token=expired framing=websocket", "403 no token-expired"},
      {"accept framing=websocket capability=00", "403 no gone"},
      {"hello", "200 hello yourself"},
  };
  RelayWorld world(test_options(2), 1, {}, true);
  for (const Row &row : rows) {
    Peer &peer = world.peer(row.head, kHttp);
    EXPECT_EQ(world.answer_of(peer), row.answer);
    ASSERT_TRUE(world.run_until([&] { return peer.heard_end.has_value(); })) << row.head;
    EXPECT_FALSE(peer.heard_end->aborted) << row.head;
    peer.close();
  }
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
}

TEST(RelayTls, WhatIsNoTlsEndsAlone) {
  RelayWorld world(test_options(1), 1, {}, true);
  for (const std::string &bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x16\x03")}) {
    RawPeer peer(world.client_shard(), world.address, bytes, true);
    ASSERT_TRUE(world.run_until([&] { return peer.ended; }));
  }
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
  Peer &fine = world.peer("hello", PeerWays{});
  EXPECT_EQ(world.answer_of(fine), "hello yourself");
}

TEST(RelayTls, EverythingIsKilledAtEveryMomentAndNothingIsLeft) {
  for (int steps = 0; steps < 600; steps += 29) {
    RelayWorld world(test_options(2), static_cast<std::uint64_t>(steps) + 1, {}, true);
    Peer &channel = world.peer("listen path=alpha token=all id=L framing=websocket", kHttp);
    world.peer("connect path=alpha token=all framing=websocket", kHttp);
    bool fetched = false;
    for (int i = 0; i < steps; ++i) {
      world.world.step();
      if (i == 200) {
        world.peer("connect path=alpha token=all framing=websocket", kHttp);
      }
      if (!fetched && !channel.capability().empty()) {
        fetched = true;
        world.peer(std::string("accept framing=websocket capability=") + channel.capability(),
                   kHttp);
      }
    }
    ASSERT_EQ(world.end(), "") << "after " << steps << " steps";
  }
}

} // namespace
} // namespace culvert::test
