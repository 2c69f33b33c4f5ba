// A small random world: two shards echo on one listening socket, a few askers check every byte.
#pragma once

#include "unit/sim/party.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace culvert::test {

/// Opens, connects and asks; a failed connect or open is an end, too.
class Caller {
public:
  Caller(Io &io, const Address &address, std::size_t total) : io_(io), total_(total) {
    connect_.bind<&Caller::on_connected>(*this);
    const Result<Socket> opened = io.open(address);
    if (!opened.ok()) {
      failed_ = opened.status().os_error;
      return;
    }
    socket_ = opened.value();
    io.connect(socket_, address, connect_);
  }
  void on_connected(Outcome outcome) {
    if (outcome.result < 0) {
      failed_ = -outcome.result;
      io_.close(socket_);
      return;
    }
    asker_ = std::make_unique<Asker>(io_, socket_, total_);
    asker_->start();
    if (on_ready) {
      on_ready(socket_);
    }
  }
  [[nodiscard]] bool done() const { return failed_ != 0 || (asker_ && asker_->closed()); }
  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] const Asker *asker() const { return asker_.get(); }
  std::function<void(Socket)> on_ready;

private:
  Io &io_;
  std::size_t total_;
  Socket socket_;
  Completion connect_;
  std::unique_ptr<Asker> asker_;
  int failed_ = 0;
};

/// Accepts for one shard and echoes.
class EchoShard {
public:
  EchoShard(Io &io, Socket listener) : io_(io), listener_(listener) {
    accept_.bind<&EchoShard::on_accept>(*this);
    cancel_.bind<&EchoShard::on_cancelled>(*this);
    again_.bind<&EchoShard::arm>(*this);
    arm();
  }
  void stop() {
    stopping_ = true;
    again_.disarm();
    if (accept_.in_flight()) {
      io_.cancel(accept_, cancel_);
    }
  }
  void stop_echoes() {
    for (const auto &echo : echoes_) {
      echo->stop();
    }
  }
  [[nodiscard]] bool joined() const { return !accept_.in_flight() && !cancel_.in_flight(); }
  [[nodiscard]] bool idle() const {
    return std::all_of(echoes_.begin(), echoes_.end(),
                       [](const auto &echo) { return echo->closed(); });
  }
  [[nodiscard]] const std::vector<std::unique_ptr<Echo>> &echoes() const { return echoes_; }

private:
  void arm() { io_.accept(listener_, accept_); }
  void on_accept(Outcome outcome) {
    if (outcome.result >= 0) {
      echoes_.push_back(std::make_unique<Echo>(io_, Socket{outcome.result}));
      echoes_.back()->start();
    }
    if (!outcome.more && !stopping_) {
      io_.arm_after_ms(again_, 5);
    }
  }
  void on_cancelled(Outcome) {}

  Io &io_;
  Socket listener_;
  Completion accept_;
  Completion cancel_;
  Timer again_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Echo>> echoes_;
};

/// What a run came to.
struct EchoRun {
  std::uint64_t hash = 0;
  std::size_t checked_bytes = 0;
  std::size_t whole = 0;  // streams that came back complete
  std::size_t broken = 0; // streams that were reported broken, and failed set-ups
  SimFaultCounts counts;
};

/// Runs one seed and checks what must hold under any fault: no wrong byte, nothing short reported
/// whole, nothing left over.
inline EchoRun run_echo_world(std::uint64_t seed, const SimFaults &faults,
                              std::size_t largest_stream = 60'000) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  TestWorld world(seed);
  SimIo &one = world.sim.make_io("echo-1", "10.0.0.1");
  SimIo &two = world.sim.make_io("echo-2", "10.0.0.1");
  SimIo &apps = world.sim.make_io("apps", "10.0.0.2");
  const Address address = address_of("10.0.0.1", 7);
  const Socket listener = one.listen(address).value();
  world.sim.faults() = faults;
  EchoShard shard_one(one, listener);
  EchoShard shard_two(two, listener);
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::uint64_t count = 1 + world.sim.random().below(4); count > 0; --count) {
    callers.push_back(
        std::make_unique<Caller>(apps, address, world.sim.random().below(largest_stream)));
    callers.back()->on_ready = [&](Socket socket) { world.sim.label(socket, SimPhase::kStream); };
  }
  const auto done = [&] {
    return std::all_of(callers.begin(), callers.end(), [](const auto &c) { return c->done(); });
  };
  // Half-open connections without keepalive take Linux's 15 retransmissions; idle ones never end.
  for (auto &caller : callers) {
    caller->on_ready = [&, ready = caller->on_ready](Socket socket) {
      apps.set_option(socket, SocketOption::kKeepAliveSec, 60);
      ready(socket);
    };
  }
  EXPECT_TRUE(world.sim.run_until(done, 3'600'000));
  shard_one.stop_echoes();
  shard_two.stop_echoes();
  shard_one.stop();
  shard_two.stop();
  EXPECT_TRUE(world.sim.run_until(
      [&] {
        return shard_one.joined() && shard_two.joined() && shard_one.idle() && shard_two.idle();
      },
      60'000));
  one.close(listener);

  EchoRun run;
  for (const auto &caller : callers) {
    const Asker *asker = caller->asker();
    const bool whole = asker != nullptr && asker->whole();
    if (asker != nullptr) {
      EXPECT_FALSE(asker->wrong());
      EXPECT_TRUE(whole || asker->broken() != 0) << "short, and reported clean";
      run.checked_bytes += asker->checked();
    }
    ++(whole ? run.whole : run.broken);
  }
  EXPECT_EQ(world.sim.leaks(), "");
  run.hash = world.sim.trace_hash();
  run.counts = world.sim.fault_counts();
  return run;
}

} // namespace culvert::test
