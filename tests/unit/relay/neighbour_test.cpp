// What a storm of refused connections takes from the tunnel of another source, in turns.
//
// The relay has one shard, and the tunnel keeps it busy all the time: what the storm takes, the
// tunnel loses. The shard's work has a price in virtual time, so that the bounds of RelayLimits,
// which are so many a second, meet as many turns a second as a real core has.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

/// A receive with all that follows it: a turn of the tunnel, or a step of a handshake. A refused
/// connection over TLS receives four times: that is the measured 0.6 ms
/// (RelayLimits::refusals_per_second_per_source).
constexpr std::uint64_t kReceivedNs = 150'000;
/// To accept a connection and to close it: measured are 12 to 14 us for one that is reset before
/// TLS.
constexpr std::uint64_t kConnectionNs = 20'000;
constexpr std::size_t kStormPerMs = 2;

constexpr const char *kListener = "10.0.9.9";
constexpr const char *kSender = "10.0.8.8";
constexpr const char *kStranger = "10.0.0.2";

/// What the shard did in some time.
struct Work {
  std::uint64_t tunnel_turns = 0;
  std::uint64_t connections = 0; // that it closed
  std::uint64_t refused = 0;     // of them, behind a handshake
};

WorldOptions busy_options() {
  WorldOptions options = test_options(1);
  options.shard_limits.held_bytes = 0; // a turn has kMinTurnBytes then: the fewest bytes to encrypt
  return options;
}

class BusyRelay {
public:
  explicit BusyRelay(const WorldOptions &options = busy_options())
      : world_(options, 1, SimFaults{}, true), io_(static_cast<SimIo &>(world_.shards[0]->io)) {
    world_.world.link().latency_ns = 20'000;
    world_.world.link().jitter_ns = 10'000;
    Peer &channel = world_.peer("listen path=alpha token=all id=L", PeerWays{}, kListener);
    world_.answer_of(channel);
    sender_ = &world_.peer("connect path=alpha token=all framing=websocket", PeerWays{}, kSender);
    EXPECT_TRUE(world_.run_until([&] { return !channel.capability().empty(); }));
    listener_ = &world_.peer("accept framing=websocket capability=" + channel.capability(),
                             PeerWays{}, kListener);
    EXPECT_EQ(world_.answer_of(*listener_), "joined");
    EXPECT_EQ(world_.answer_of(*sender_), "joined by the relay");
  }

  /// Its work in so long, while so many wrong tokens come from the host in each millisecond.
  Work work(std::uint64_t duration_ms, std::size_t per_ms, const char *host = kStranger) {
    const std::uint64_t began_ns = io_.now_ns();
    const std::uint64_t refused_before = world_.counters().setups_failed;
    Work work;
    io_.on_received = [&](Socket socket) {
      const Result<Address> peer = io_.peer_address(socket);
      work.tunnel_turns += peer.ok() && peer.value().host() == kSender ? 1 : 0;
      world_.world.spend(kReceivedNs);
    };
    io_.on_close = [&](Socket) {
      ++work.connections;
      world_.world.spend(kConnectionNs);
    };
    std::size_t opened = 0;
    std::vector<Peer *> open;
    const auto over = [&] {
      feed();
      const std::uint64_t elapsed_ms = (io_.now_ns() - began_ns) / 1'000'000;
      if (opened < per_ms * elapsed_ms) {
        close_answered(open);
      }
      for (; opened < per_ms * elapsed_ms; ++opened) {
        open.push_back(&world_.peer("connect path=alpha token=garbage", PeerWays{}, host));
      }
      return elapsed_ms >= duration_ms;
    };
    EXPECT_TRUE(world_.run_until(over, 2 * duration_ms));
    io_.on_received = nullptr;
    io_.on_close = nullptr;
    work.refused = world_.counters().setups_failed - refused_before;
    return work;
  }

private:
  /// Whoever storms holds no seat longer than it must.
  static void close_answered(std::vector<Peer *> &open) {
    std::erase_if(open, [](Peer *peer) {
      const bool answered = peer->answered();
      if (answered) {
        peer->close();
      }
      return answered;
    });
  }
  /// The sender has always something under way.
  void feed() {
    for (const Message &message : listener_->messages) {
      arrived_ += message.bytes.size();
    }
    listener_->messages.clear();
    for (; sent_ - arrived_ < kTurnBytes; sent_ += kMinTurnBytes) {
      sender_->send(std::string(kMinTurnBytes, 'x'), ChunkKind::kBinary);
    }
  }

  RelayWorld world_;
  SimIo &io_;
  Peer *sender_ = nullptr;
  Peer *listener_ = nullptr;
  std::size_t sent_ = 0;
  std::size_t arrived_ = 0;
};

TEST(RelayNeighbour, ATunnelKeepsNineTenthsOfItsTurnsInAStormOfWrongTokens) {
  constexpr std::uint64_t kLastsMs = 10'000;
  const Work calm = BusyRelay().work(kLastsMs, 0);
  EXPECT_GE(calm.tunnel_turns * kReceivedNs, kLastsMs * 900'000) << "the shard is not busy";
  const Work stormy = BusyRelay().work(kLastsMs, kStormPerMs);
  EXPECT_GE(stormy.refused, RelayLimits{}.refusals_burst_per_source);
  EXPECT_GE(stormy.connections, kLastsMs * kStormPerMs * 9 / 10) << "the storm does not arrive";
  EXPECT_GE(10 * stormy.tunnel_turns, 9 * calm.tunnel_turns);
}

/// The listener of another tenant, whose address may fail more often at once.
TEST(RelayNeighbour, AKnownAddressTakesNoMoreWhenItsBurstIsOver) {
  WorldOptions options = busy_options();
  options.limits.refusals_burst_per_known_source = 500; // of 2,000: fewer connections to simulate
  BusyRelay calm(options);
  BusyRelay stormy(options);
  constexpr std::uint64_t kLastsMs = 4'000;
  const Work first = stormy.work(kLastsMs, kStormPerMs, kListener);
  EXPECT_GE(first.refused, options.limits.refusals_burst_per_known_source);
  const Work after = stormy.work(kLastsMs, kStormPerMs, kListener);
  EXPECT_GE(10 * after.tunnel_turns, 9 * calm.work(kLastsMs, 0).tunnel_turns);
}

TEST(RelayNeighbour, ATunnelLosesMoreWhereTheBoundIsFarAway) {
  constexpr std::uint64_t kLastsMs = 1'000;
  WorldOptions options = busy_options();
  options.limits.refusals_burst_per_source = 1'000'000;
  const Work calm = BusyRelay(options).work(kLastsMs, 0);
  const Work stormy = BusyRelay(options).work(kLastsMs, kStormPerMs);
  EXPECT_LT(2 * stormy.tunnel_turns, calm.tunnel_turns);
}

} // namespace
} // namespace culvert::test
