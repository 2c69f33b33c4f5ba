// Silent strangers that take the seats of unauthenticated connections: who has a key gets through,
// and who has a registered listener is not held back at all.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

/// Silent addresses that connect at a rate, each second and together, and the rest of a world.
struct Flood {
  const char *name;
  std::vector<std::string> addresses;
  std::size_t per_second;
  std::string relay;
  std::string listener; // where one is registered before the flood
  std::string sender;
  std::string newcomer; // where new listeners come from
};

std::vector<std::string> addresses(const std::string &front, int count, const std::string &behind) {
  std::vector<std::string> all;
  for (int i = 1; i <= count; ++i) {
    all.push_back(front + std::to_string(i) + behind);
  }
  return all;
}

Flood ipv4(const char *name, std::vector<std::string> from, std::size_t per_second) {
  return {name, std::move(from), per_second, "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"};
}

Flood ipv6(const char *name, std::vector<std::string> from, std::size_t per_second) {
  return {name,           std::move(from), per_second,
          "2001:db8::1",  "2001:db8:1::1", "2001:db8:2::1",
          "2001:db8:3::1"};
}

class FloodedRelay {
public:
  static constexpr std::size_t kTries = 20;

  explicit FloodedRelay(const Flood &flood, WorldOptions options = test_options(2))
      : flood_(flood), world_(at(std::move(options), flood.relay)),
        channel_(world_.peer("listen path=alpha token=all id=L", flood.listener)) {
    world_.answer_of(channel_);
    flood_for(17'000); // a silent connection lived for 15 s once
    for (std::size_t i = 0; i < kTries; ++i) {
      senders_.push_back(&world_.peer("connect path=alpha token=all framing=raw", flood_.sender));
      newcomers_.push_back(
          &world_.peer("listen path=beta token=all id=N" + std::to_string(i), flood_.newcomer));
      flood_for(500);
    }
    flood_for(2'000);
  }
  ~FloodedRelay() {
    world_.world.run_for(100); // whoever connects has connected
    for (RawPeer &each : silent_) {
      each.drop();
    }
    world_.world.run_for(100);
  }

  std::size_t joined() { return count(senders_, "joined by the relay"); }
  std::size_t fetched() { return count(fetchers_, "joined"); }
  std::size_t registered() { return count(newcomers_, "listening"); }

private:
  static WorldOptions at(WorldOptions options, const std::string &relay) {
    options.at = *Address::from_literal(relay, 4430);
    return options;
  }
  static std::size_t count(const std::vector<Peer *> &peers, const std::string &answer) {
    return static_cast<std::size_t>(std::count_if(
        peers.begin(), peers.end(), [&](const Peer *each) { return each->answer == answer; }));
  }
  void flood_for(std::size_t ms) {
    for (; ms > 0; --ms) {
      due_ += flood_.per_second;
      for (; due_ >= 1'000; due_ -= 1'000) {
        const std::string &from = flood_.addresses[silent_.size() % flood_.addresses.size()];
        silent_.emplace_back(world_.client_shard(from), world_.address, "").reading = false;
      }
      world_.world.run_for(1);
      fetch_offers();
    }
  }
  void fetch_offers() {
    while (true) {
      const std::string next = channel_.capability(fetchers_.size());
      if (next.empty()) {
        return;
      }
      fetchers_.push_back(&world_.peer("accept framing=raw capability=" + next, flood_.listener));
    }
  }

  const Flood flood_;
  RelayWorld world_;
  Peer &channel_;
  std::deque<RawPeer> silent_;
  std::size_t due_ = 0; // thousandths of a connection
  std::vector<Peer *> senders_;
  std::vector<Peer *> fetchers_;
  std::vector<Peer *> newcomers_;
};

TEST(RelayStrangers, SilentAddressesShutNobodyOut) {
  const std::vector<std::string> two{"10.8.0.1", "10.9.0.1"};
  const std::vector<std::string> of_24 = addresses("10.8.0.", 8, "");
  const std::vector<std::string> sixteen = addresses("10.8.", 16, ".1");
  const std::vector<std::string> two_64{"2001:db8:8::1", "2001:db8:9::1"};
  const std::vector<std::string> of_48 = addresses("2001:db8:8:", 8, "::1");
  const Flood rows[] = {
      ipv4("2 addresses, 70 a second", two, 70),
      ipv4("2 addresses, 100 a second", two, 100),
      ipv4("2 addresses, 700 a second", two, 700),
      ipv4("8 addresses of a /24, 100 a second", of_24, 100),
      ipv4("8 addresses of a /24, 700 a second", of_24, 700),
      ipv4("16 addresses, 100 a second", sixteen, 100),
      ipv4("16 addresses, 700 a second", sixteen, 700),
      ipv6("2 /64 of two /48, 100 a second", two_64, 100),
      ipv6("8 /64 of a /48, 100 a second", of_48, 100),
      ipv6("8 /64 of a /48, 700 a second", of_48, 700),
  };
  for (const Flood &row : rows) {
    FloodedRelay flooded(row);
    EXPECT_EQ(flooded.joined(), FloodedRelay::kTries) << row.name;
    EXPECT_EQ(flooded.fetched(), FloodedRelay::kTries) << row.name;
    EXPECT_EQ(flooded.registered(), FloodedRelay::kTries) << row.name;
  }
}

// --- the bounds of seats, one by one -------------------------------------------------------------

constexpr const char *kListen = "listen path=alpha token=all id=L";

/// Silent connections that notice nothing, and what becomes of a newcomer.
class Seats : public testing::Test {
protected:
  void make(const WorldOptions &options, bool tls = false) {
    world_.emplace(options, 1, SimFaults{}, tls);
  }
  void silent(const std::string &host, const std::string &bytes = "") {
    silent_.emplace_back(world_->client_shard(host), world_->address, bytes).reading = false;
    world_->world.run_for(10);
  }
  bool served(const std::string &host) {
    Peer &peer = world_->peer("hello", host);
    world_->answer_of(peer);
    peer.close();
    world_->world.run_for(10);
    return peer.answer == "hello yourself";
  }
  std::uint64_t unauthenticated() { return world_->counters().unauthenticated; }
  void TearDown() override {
    for (RawPeer &each : silent_) {
      each.drop();
    }
    world_->world.run_for(10);
    silent_.clear();
    world_.reset();
  }

  std::optional<RelayWorld> world_;
  std::deque<RawPeer> silent_;
};

TEST_F(Seats, TheOldestMakesRoomBehindItsGrace) {
  WorldOptions options = test_options(1);
  options.limits.unauthenticated = 2;
  options.limits.unauthenticated_grace_ms = 3'000;
  make(options);
  silent("10.0.0.2");
  silent("10.0.1.2");
  EXPECT_FALSE(served("10.0.3.2"));
  EXPECT_EQ(world_->log.count("say nothing yet: new ones are turned away"), 1U);
  world_->world.run_for(3'000);
  EXPECT_TRUE(served("10.0.3.2"));
  EXPECT_EQ(unauthenticated(), 1U); // the second is still there
  EXPECT_TRUE(served("10.0.3.2"));  // beside it
  EXPECT_EQ(unauthenticated(), 1U);
}

TEST_F(Seats, AnAddressMakesRoomForItselfAlone) {
  WorldOptions options = test_options(1);
  options.limits.unauthenticated_per_source = 2;
  options.limits.unauthenticated_grace_ms = 1'000;
  make(options);
  silent("10.0.1.2");
  silent("10.0.0.2");
  silent("10.0.0.2");
  EXPECT_FALSE(served("10.0.0.2"));
  world_->world.run_for(1'000);
  EXPECT_TRUE(served("10.0.0.2"));
  EXPECT_EQ(unauthenticated(), 2U); // one of each
}

TEST_F(Seats, ANetworkHasItsShare) {
  const std::vector<std::string> rows[] = {
      {"10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.2.2"},
      {"2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:2:1::1"}};
  for (const std::vector<std::string> &row : rows) {
    WorldOptions options = test_options(1);
    options.limits.unauthenticated_per_network = 2;
    options.limits.unauthenticated_grace_ms = 1'000;
    const bool ipv6 = row[0].find(':') != std::string::npos;
    options.at = *Address::from_literal(ipv6 ? "2001:db8::1" : "10.0.0.1", 4430);
    make(options);
    silent(row[3]);
    silent(row[0]);
    silent(row[1]);
    EXPECT_FALSE(served(row[2])) << row[2];
    EXPECT_EQ(world_->log.count("of one network say nothing yet"), 1U) << world_->log.text();
    EXPECT_TRUE(served(row[3])) << row[3];
    world_->world.run_for(1'000);
    EXPECT_TRUE(served(row[2])) << row[2];
    EXPECT_EQ(unauthenticated(), 2U); // another network makes no room for it
    TearDown();
    make(options); // for the next TearDown()
  }
}

TEST_F(Seats, WhoHasAListenerNeedsNoSeatOfStrangers) {
  WorldOptions options = test_options(2);
  options.limits.unauthenticated = 3;
  options.limits.unauthenticated_per_source = 2;
  options.limits.unauthenticated_grace_ms = 60'000;
  make(options);
  Peer &channel = world_->peer(kListen, "10.0.9.9");
  ASSERT_EQ(world_->answer_of(channel), "listening");
  Peer &sender = world_->peer("connect path=alpha token=all framing=raw", "10.0.8.8");
  ASSERT_TRUE(world_->run_until([&] { return !channel.capability().empty(); }));
  for (const char *host : {"10.0.2.2", "10.0.3.2", "10.0.4.2"}) {
    silent(host);
  }
  EXPECT_FALSE(served("10.0.8.8")) << "a sender that waits is not known yet";
  Peer &fetcher = world_->peer("accept framing=raw capability=" + channel.capability(), "10.0.9.9");
  EXPECT_EQ(world_->answer_of(fetcher), "joined");
  EXPECT_EQ(world_->answer_of(sender), "joined by the relay");
  EXPECT_TRUE(served("10.0.8.8")) << "it has a tunnel";
  silent("10.0.9.9");
  silent("10.0.9.9");
  EXPECT_FALSE(served("10.0.9.9")) << "its own share binds it";
  fetcher.drop();
  ASSERT_TRUE(world_->run_until([&] { return world_->tunnels() == 0; }));
  EXPECT_FALSE(served("10.0.8.8")) << "its tunnel has ended";
}

/// The oldest of its address has a seat that does not count for the network, which is full too.
TEST_F(Seats, WhoIsTurnedAwayThoughOneMadeRoomIsTold) {
  WorldOptions options = test_options(1);
  options.limits.unauthenticated_per_source = 1;
  options.limits.unauthenticated_per_network = 1;
  options.limits.unauthenticated_grace_ms = 1'000;
  make(options);
  Peer &channel = world_->peer(kListen, "10.0.1.2");
  ASSERT_EQ(world_->answer_of(channel), "listening");
  silent("10.0.1.2");
  channel.drop();
  ASSERT_TRUE(world_->run_until([&] { return world_->counters().listeners == 0; }));
  silent("10.0.1.3");
  world_->world.run_for(1'000);
  EXPECT_FALSE(served("10.0.1.2"));
  EXPECT_EQ(world_->log.count("of one network say nothing yet: new ones are turned away"), 1U)
      << world_->log.text();
}

TEST_F(Seats, WhoSaidNothingIsClosedWithoutLinger) {
  make(test_options(1));
  silent("10.0.0.2");
  silent("10.0.0.2", "\x01"); // less than a head
  world_->world.run_for(RelayLimits{}.handshake_ms - 100);
  EXPECT_EQ(unauthenticated(), 2U);
  world_->world.run_for(200);
  EXPECT_EQ(unauthenticated(), 0U);
  EXPECT_EQ(world_->connections(), 0U);
}

TEST_F(Seats, WhoIsNoTlsIsWaitedForNoLongerThanAnAlertTakes) {
  make(test_options(1), true);
  silent("10.0.0.2", "GET / HTTP/1.1\r\n\r\n");
  world_->world.run_for(ShardLimits{}.error_close_ms + 100);
  EXPECT_EQ(world_->connections(), 0U);
}

// --- refusals ------------------------------------------------------------------------------------

/// So many wrong tokens in each millisecond for ten seconds: how many of them cost a set-up.
std::uint64_t storm(RelayWorld &world, const std::string &host, std::size_t per_ms) {
  const std::uint64_t before = world.counters().setups_failed;
  std::deque<RawPeer> peers;
  const std::string head = "connect path=alpha token=garbage";
  const std::string message = std::string{'\0', static_cast<char>(head.size())} + head;
  for (int ms = 0; ms < 10'000; ++ms) {
    for (std::size_t i = 0; i < per_ms; ++i) {
      peers.emplace_back(world.client_shard(host), world.address, message);
    }
    world.world.run_for(1);
    while (!peers.empty() && peers.front().ended && peers.size() > 100) {
      peers.pop_front(); // its link is gone for long
    }
  }
  EXPECT_TRUE(world.run_until([&] {
    return std::all_of(peers.begin(), peers.end(), [](const RawPeer &each) { return each.ended; });
  }));
  world.world.run_for(10);
  return world.counters().setups_failed - before;
}

/// A refused set-up costs 0.6 ms of a core with TLS, so a tenth of one are 160 a second.
TEST(RelayStorm, OfWrongTokensCostsTheTunnelsOfOthersLessThanATenth) {
  RelayWorld world(test_options(2));
  Peer &channel = world.peer(kListen, "10.0.9.9");
  ASSERT_EQ(world.answer_of(channel), "listening");
  const std::uint64_t refused = storm(world, "10.0.0.2", 2);
  const RelayLimits limits;
  EXPECT_GE(refused, limits.refusals_burst_per_source);
  EXPECT_LE(refused, limits.refusals_burst_per_source + 11 * limits.refusals_per_second_per_source);
  EXPECT_LE(refused, 10U * 160U);
  EXPECT_LE(world.log.told("connection refused"), 30U);
  EXPECT_EQ(world.log.count("were refused: some of its new ones are reset"), 1U);
  Peer &other = world.peer("connect path=alpha token=all", "10.0.0.3");
  EXPECT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  EXPECT_FALSE(other.answered());
}

TEST_F(Seats, ASilentAddressHasSetUpsOnlyAsOftenAsARefusedOne) {
  WorldOptions options = test_options(2);
  options.limits.refusals_burst_per_source = 20;
  options.limits.refusals_per_second_per_source = 10;
  make(options);
  for (int i = 0; i < 1'000; ++i) { // in ten seconds
    silent("10.0.0.2");
  }
  world_->world.run_for(RelayLimits{}.handshake_ms + 100);
  // Those of the first ten seconds had not come to nothing yet.
  const std::size_t set_up = world_->log.count("connection ended before its head") +
                             world_->log.count("connection makes room");
  EXPECT_GE(set_up, 512U);
  EXPECT_LE(set_up, 512U + 20U + 100U);
  EXPECT_EQ(unauthenticated(), 0U);
  for (int i = 0; i < 1'000; ++i) {
    silent("10.0.0.2");
  }
  EXPECT_LE(unauthenticated(), 120U);
  EXPECT_TRUE(served("10.0.0.3"));
}

TEST(RelayStorm, OfAnAddressThatHasAListenerMayBeLarger) {
  RelayWorld world(test_options(2));
  Peer &channel = world.peer(kListen, "10.0.9.9");
  ASSERT_EQ(world.answer_of(channel), "listening");
  const std::uint64_t refused = storm(world, "10.0.9.9", 1);
  const RelayLimits limits;
  EXPECT_GE(refused, limits.refusals_burst_per_known_source);
  EXPECT_LE(refused,
            limits.refusals_burst_per_known_source + 11 * limits.refusals_per_second_per_source);
  EXPECT_LE(world.log.told("connection refused"), 30U);
}

} // namespace
} // namespace culvert::test
