// Shards that share a listening socket, with real sockets: whoever connects while they start and
// stop is served or reset, never left open and never ended as if all had been said.
#include "role/acceptor.hpp"

#include "core/random.hpp"
#include "unit/io/io_world.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <deque>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace culvert::test {
namespace {

class KeptLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    lines.emplace_back(message);
    for (const LogField &field : fields) {
      lines.back() += " " + std::string(field.name) + "=" + field.value;
    }
  }

  std::vector<std::string> lines;
};

/// No descriptor beyond those that are open now.
class NoMoreFiles {
public:
  NoMoreFiles() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const int lowest_free = ::dup(STDERR_FILENO);
    ::close(lowest_free);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(lowest_free);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  NoMoreFiles(const NoMoreFiles &) = delete;
  NoMoreFiles &operator=(const NoMoreFiles &) = delete;
  ~NoMoreFiles() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

private:
  rlimit before_{};
};

/// One shard's part: it says a byte to each connection it is given, and keeps it.
class Part {
public:
  Part(Io &io, Random &random, Log &log, unsigned index, AcceptGroup &group,
       const ShardLimits &limits)
      : shard(io, random, log, index, limits),
        acceptor(shard, Delegate<Socket>::to<&Part::on_arrived>(*this),
                 Delegate<>::to<&Part::on_stopped>(*this)) {
    acceptor.share_with(group);
  }
  void on_arrived(Socket socket) {
    EXPECT_EQ(::send(socket.id, "s", 1, MSG_NOSIGNAL), 1);
    served.push_back(socket);
  }
  void on_stopped() { ++stops; }

  Shard shard;
  Acceptor acceptor;
  std::vector<Socket> served;
  int stops = 0;
};

class Client {
public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
  }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;
  ~Client() { ::close(socket_); }

  /// 1: it was served; -ECONNRESET: it was reset; 0: it was ended; -EAGAIN: nothing yet.
  int outcome() {
    if (outcome_ == -EAGAIN) {
      char byte = 0;
      const auto count = ::recv(socket_, &byte, 1, MSG_DONTWAIT);
      outcome_ = count < 0 ? -errno : static_cast<int>(count);
    }
    return outcome_;
  }

private:
  const int socket_;
  int outcome_ = -EAGAIN;
};

class AcceptorTest : public testing::Test {
protected:
  void begin(const ShardLimits &limits = {}) {
    group.emplace(kShards);
    for (unsigned i = 0; i < kShards; ++i) {
      parts.emplace_back(*ios[i], random, log, i, *group, limits);
    }
    listening = parts[0].shard.io.listen(world->fresh_address(Address::Family::kIpv4)).value();
    port = parts[0].shard.io.local_address(listening).value().port;
  }
  void dial(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      clients.emplace_back(port);
    }
  }
  void run_some() {
    for (std::uint64_t rounds = random.below(9); rounds > 0; --rounds) {
      ios[random.below(kShards)]->run_ready();
    }
  }
  /// Stops these shards and closes what they have served.
  void end(std::initializer_list<std::size_t> started) {
    for (const std::size_t each : started) {
      Part &part = parts[each];
      part.acceptor.stop();
      EXPECT_TRUE(world->run_until([&] { return part.acceptor.stopped(); }));
      for (const Socket socket : part.served) {
        part.shard.io.close(socket);
      }
    }
    parts[0].shard.io.close(listening);
  }
  bool all_stopped() {
    return std::all_of(parts.begin(), parts.end(),
                       [](const Part &part) { return part.acceptor.stopped(); });
  }

  static constexpr unsigned kShards = 3;
  std::unique_ptr<IoWorld> world = make_uring_world();
  std::vector<Io *> ios{&world->make(), &world->make(), &world->make()};
  SeededRandom random{11};
  KeptLog log;
  std::optional<AcceptGroup> group;
  std::deque<Part> parts;
  std::deque<Client> clients;
  Socket listening;
  std::uint16_t port = 0;
};

TEST_F(AcceptorTest, WhoeverConnectsWhileShardsStartAndStopIsServedOrReset) {
  constexpr int kRounds = 40;
  std::size_t served = 0;
  std::size_t reset = 0;
  for (int round = 0; round < kRounds; ++round) {
    begin();
    for (Part &part : parts) {
      dial(3);
      part.acceptor.start(listening);
      dial(3);
      run_some();
    }
    std::vector<std::size_t> order{0, 1, 2};
    std::swap(order[0], order[random.below(3)]);
    for (const std::size_t each : order) {
      dial(6);
      run_some();
      parts[each].acceptor.stop();
      EXPECT_EQ(parts[each].stops, 0); // never inside the call
      dial(3);
      run_some();
    }
    ASSERT_TRUE(world->run_until([&] { return all_stopped(); }));
    parts[0].shard.io.close(listening);
    std::size_t arrived = 0;
    for (Part &part : parts) {
      EXPECT_EQ(part.stops, 1);
      arrived += part.served.size();
    }
    std::size_t heard = 0;
    for (Client &client : clients) {
      ASSERT_TRUE(world->run_until([&] { return client.outcome() != -EAGAIN; }));
      EXPECT_TRUE(client.outcome() == 1 || client.outcome() == -ECONNRESET) << client.outcome();
      heard += client.outcome() == 1 ? 1 : 0;
    }
    EXPECT_EQ(heard, arrived);
    served += heard;
    reset += clients.size() - heard;
    for (Part &part : parts) {
      for (const Socket socket : part.served) {
        part.shard.io.close(socket);
      }
    }
    clients.clear();
    ASSERT_TRUE(world->run_until([&] { return world->open_sockets() == 0; }));
    parts.clear();
  }
  EXPECT_GT(served, kRounds * 10U);
  EXPECT_GT(reset, kRounds + 0U);
}

TEST_F(AcceptorTest, WhatIsDealtReachesEveryShardThatHasStartedAndNoOther) {
  begin();
  parts[0].acceptor.start(listening);
  dial(20);
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 20; }));
  parts[2].acceptor.start(listening);
  dial(60);
  ASSERT_TRUE(
      world->run_until([&] { return parts[0].served.size() + parts[2].served.size() == 80; }));
  EXPECT_GT(parts[2].served.size(), 5U);
  EXPECT_TRUE(parts[1].served.empty());
  end({0, 2});
}

TEST_F(AcceptorTest, HeldItLeavesConnectionsInTheBacklogUntilItIsReleased) {
  begin();
  Acceptor &acceptor = parts[0].acceptor;
  acceptor.start(listening);
  dial(2);
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 2; }));
  acceptor.hold();
  acceptor.hold();
  ASSERT_TRUE(world->run_until([&] { return ios[0]->in_flight() == 0; }));
  dial(5);
  for (int rounds = 0; rounds < 50; ++rounds) {
    ios[0]->run_ready();
  }
  EXPECT_EQ(parts[0].served.size(), 2U);
  acceptor.release();
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 7; }));
  std::size_t dialled = 7;
  for (int rounds = 0; rounds < 200; ++rounds) {
    acceptor.hold();
    dial(1);
    run_some();
    acceptor.release();
    dial(1);
    run_some();
    dialled += 2;
  }
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == dialled; }));
  EXPECT_TRUE(log.lines.empty());
  acceptor.hold();
  run_some();
  acceptor.stop();
  ASSERT_TRUE(world->run_until([&] { return acceptor.stopped(); }));
  for (const Socket socket : parts[0].served) {
    parts[0].shard.io.close(socket);
  }
  parts[0].shard.io.close(listening);
}

TEST_F(AcceptorTest, EachOfSeveralListeningSocketsIsServedHeldAndStopped) {
  begin();
  Io &io = parts[0].shard.io;
  const Socket other = io.listen(world->fresh_address(Address::Family::kIpv4)).value();
  const std::uint16_t other_port = io.local_address(other).value().port;
  const Socket both[] = {listening, other};
  Acceptor &acceptor = parts[0].acceptor;
  acceptor.start(both);
  dial(2);
  clients.emplace_back(other_port);
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 3; }));
  acceptor.hold();
  ASSERT_TRUE(world->run_until([&] { return ios[0]->in_flight() == 0; }));
  dial(1);
  clients.emplace_back(other_port);
  for (int rounds = 0; rounds < 50; ++rounds) {
    ios[0]->run_ready();
  }
  EXPECT_EQ(parts[0].served.size(), 3U);
  acceptor.release();
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 5; }));
  acceptor.stop();
  ASSERT_TRUE(world->run_until([&] { return acceptor.stopped(); }));
  EXPECT_EQ(parts[0].stops, 1);
  for (const Socket socket : parts[0].served) {
    io.close(socket);
  }
  io.close(listening);
  io.close(other);
}

TEST_F(AcceptorTest, NothingIsDealtToAShardThatIsHeld) {
  begin();
  parts[0].acceptor.start(listening);
  parts[2].acceptor.start(listening);
  parts[2].acceptor.hold();
  ASSERT_TRUE(world->run_until([&] { return ios[2]->in_flight() == 0; }));
  dial(60);
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 60; }));
  end({0, 2});
}

TEST_F(AcceptorTest, WhoRunsOutOfDescriptorsIsToldTheRemedyAndAcceptsLater) {
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer's own check of a vptr needs a descriptor";
#endif
#endif
  begin();
  dial(1);
  {
    const NoMoreFiles none;
    parts[0].acceptor.start(listening);
    ASSERT_TRUE(world->run_until([&] { return !log.lines.empty(); }));
  }
  EXPECT_EQ(log.lines.front(), "no connection can be accepted why=accept: Too many open files; "
                               "raise this process's limit of open files (ulimit -n)");
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 1; }));
  EXPECT_EQ(log.lines.size(), 1U);
  parts[0].acceptor.stop();
  ASSERT_TRUE(world->run_until([&] { return parts[0].acceptor.stopped(); }));
  parts[0].shard.io.close(parts[0].served.front());
  parts[0].shard.io.close(listening);
}

TEST_F(AcceptorTest, WhoRunsOutOfDescriptorsWaitsForTheRetryTimeOrAFreedOne) {
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer's own check of a vptr needs a descriptor";
#endif
#endif
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  ShardLimits limits;
  limits.accept_retry_ms = 60'000;
  begin(limits);
  dial(1);
  {
    const NoMoreFiles none;
    parts[0].acceptor.start(listening);
    ASSERT_TRUE(world->run_until([&] { return !log.lines.empty(); }));
  }
  const std::uint64_t now_ns = ios[0]->now_ns();
  EXPECT_GT(ios[0]->nearest_deadline_ns(), now_ns + kSecondNs);
  EXPECT_LE(ios[0]->nearest_deadline_ns(), now_ns + 60 * kSecondNs);
  parts[0].acceptor.on_descriptor_freed();
  ASSERT_TRUE(world->run_until([&] { return parts[0].served.size() == 1; }));
  parts[0].acceptor.stop();
  ASSERT_TRUE(world->run_until([&] { return parts[0].acceptor.stopped(); }));
  parts[0].shard.io.close(parts[0].served.front());
  parts[0].shard.io.close(listening);
}

} // namespace
} // namespace culvert::test
