// Malformed HTTP heads: bytes in, status out, one log line, the connection ends alone.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

class HttpWorld : public RelayWorld {
public:
  HttpWorld() : RelayWorld(test_options(1), 1, {}, false, HeadForm::kHttp) {}
};

const std::string kUpgrade = "Host: relay.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const std::string kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";
const std::string kTarget = "/connect/path=alpha/token=secretive/framing=websocket";

TEST(RelayHttp, EveryMalformedHeadIsAnsweredInItsOwnWords) {
  struct Row {
    std::string bytes;
    const char *status;
    const char *field = "\r\nConnection: close\r\n";
  };
  const char *version_13 = "\r\nSec-WebSocket-Version: 13\r\n";
  const Row rows[] = {
      {"GET " + kTarget + " HTTP/1.1\r\n" + kUpgrade + kKey + kVersion + "\r\n", "403"},
      {"GET " + kTarget + " HTTP/1.1\r\n" + kUpgrade + kVersion + "\r\n", "400"},
      {"GET " + kTarget + " HTTP/1.1\r\n" + kUpgrade + kKey + "\r\n", "426", version_13},
      {"GET " + kTarget + " HTTP/1.1\r\n" + kUpgrade + kKey + "Sec-WebSocket-Version: 8\r\n\r\n",
       "426", version_13},
      {"GET " + kTarget + " HTTP/1.1\r\nHost: relay.example\r\n\r\n", "4"},
      {"POST " + kTarget + " HTTP/1.1\r\n" + kUpgrade + kKey + kVersion + "\r\n", "4"},
      {"GET " + kTarget + "\r\n\r\n", "400"},
      {"GET " + kTarget + " HTTP/1.1\r\nbad header\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nX: " + std::string(50'000, 'x'), "431"},
      {std::string("\0\1\2\3\r\n\r\n", 8), "400"},
      {"GET /nonsense HTTP/1.1\r\nHost: relay.example\r\n\r\n", "403"},
      {"GET /deny HTTP/1.1\r\nHost: relay.example\r\n\r\n", "400"}, // the protocol's own answer
  };
  HttpWorld world;
  for (const Row &row : rows) {
    const std::size_t lines = world.log.lines.size();
    RawPeer peer(world.client_shard(), world.address, row.bytes, true);
    ASSERT_TRUE(world.run_until([&] { return peer.ended; })) << row.bytes.substr(0, 80);
    EXPECT_EQ(peer.heard.rfind("HTTP/1.1 " + std::string(row.status), 0), 0U)
        << row.bytes.substr(0, 80) << "\n"
        << peer.heard;
    EXPECT_NE(peer.heard.find("\r\nConnection: close\r\n"), std::string::npos) << peer.heard;
    EXPECT_NE(peer.heard.find(row.field), std::string::npos) << peer.heard;
    ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }));
    EXPECT_EQ(world.log.lines.size() - lines, 1U) << world.log.text();
  }
  EXPECT_EQ(world.log.count("secretive"), 0U) << world.log.text();
  EXPECT_EQ(world.counters().setups_failed, std::size(rows));
}

TEST(RelayHttp, ARefusedPeerThatSendsWithoutEndHasItsAnswerAndIsReadNoFurther) {
  HttpWorld world;
  RawPeer peer(world.client_shard(), world.address,
               "POST /nonsense HTTP/1.1\r\nHost: relay.example\r\n\r\n" + std::string(1'000, 'x'));
  peer.stays = true;
  ASSERT_TRUE(world.run_until([&] { return peer.ended; }));
  EXPECT_EQ(peer.heard.rfind("HTTP/1.1 403", 0), 0U) << peer.heard;
  std::size_t sent = 0;
  for (int i = 0; i < 40; ++i) {
    if (peer.held() == 0) {
      peer.send(std::string(64U * 1024, 'x'));
      ++sent;
    }
    world.world.run_for(100);
  }
  EXPECT_GT(peer.held(), 0U) << sent << " pieces went out: the relay still reads";
  EXPECT_EQ(world.connections(), 1U);
  ASSERT_TRUE(world.run_until([&] { return world.connections() == 0; }, 5'000)) << "linger_ms";
  peer.drop();
  world.world.run_for(1);
}

TEST(RelayHttp, AHeadThatDoesNotComeIsARequestTimeout) {
  HttpWorld world;
  RawPeer peer(world.client_shard(), world.address, "GET / HT");
  ASSERT_TRUE(world.run_until([&] { return peer.ended; }, RelayLimits{}.handshake_ms + 1'000));
  EXPECT_EQ(peer.heard.rfind("HTTP/1.1 408", 0), 0U) << peer.heard;
}

} // namespace
} // namespace culvert::test
