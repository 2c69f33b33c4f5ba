// A deterministic world for tests: one seed gives one run, to the byte and to the log line.
//
// One thread drives a world and everything in it; no real time, no real randomness, no real socket.
// The world owns its Ios, its kernel and its network; whoever uses an Io owns what io.hpp says and
// is gone before the world. How to write a test:
//
//   SimWorld world(seed, SimFaults::harmless(1'000));
//   SimIo &relay = world.make_io("relay", "10.0.0.1");
//   SimIo &app = world.make_io("app", "10.0.0.2");
//   ...                                        // objects that listen, connect, poll
//   ASSERT_TRUE(world.run_until([&] { return done; }, 60'000));
//   world.heal();                              // then: recovery, ending
//   EXPECT_EQ(world.leaks(), "");
#pragma once

#include "support/sim/sim_core.hpp"
#include "support/sim/sim_io.hpp"
#include "support/sim/sim_kernel.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert {

class SimWorld {
public:
  /// Unix seconds at the beginning of every world: 2026-01-01.
  static constexpr std::int64_t kFirstWallSec = 1'767'225'600;

  explicit SimWorld(std::uint64_t seed, const SimFaults &faults = {});
  ~SimWorld();
  SimWorld(const SimWorld &) = delete;
  SimWorld &operator=(const SimWorld &) = delete;

  // --- who lives here ---------------------------------------------------------------------------
  /// A shard's Io on the host with this IP literal; shards of one process share a host.
  SimIo &make_io(std::string label, std::string_view host = "10.0.0.1");
  /// A host without an Io: connects to it are refused, not unreachable.
  /// Returns its number, see SimIo::host().
  int add_host(std::string_view host) { return kernel_.network.host(host); }
  /// A random source for one shard, drawn from the world's seed.
  std::unique_ptr<Random> make_random();
  /// For a test's own choices; every draw is part of the run.
  [[nodiscard]] Random &random() { return core_.random; }

  // --- time -------------------------------------------------------------------------------------
  [[nodiscard]] std::uint64_t now_ns() const { return core_.now_ns; }
  [[nodiscard]] std::int64_t wall_s() const;
  /// The loop that runs now takes so long.
  void spend(std::uint64_t duration_ns) { core_.now_ns += duration_ns; }
  void jump_wall(std::int64_t seconds) { wall_offset_s_ += seconds; }

  // --- driving ----------------------------------------------------------------------------------
  /// One event, or one run_ready() of an Io that has work. False when nothing is left to happen.
  bool step();
  /// Steps until `done`; false when `within_ms` of virtual time passed first. When nothing is left
  /// to happen the time passes at once.
  bool run_until(const std::function<bool()> &done, std::uint64_t within_ms);
  /// Steps until so much virtual time has passed.
  void run_for(std::uint64_t duration_ms);

  // --- the network ------------------------------------------------------------------------------
  [[nodiscard]] SimLink &link() { return kernel_.network.link; }
  /// Cuts two hosts off from each other: a black hole, until mended. A host from itself, too.
  void cut(std::string_view host, std::string_view other);
  void mend(std::string_view host, std::string_view other);
  /// The processes of this host die now: close what they have, and the kernel ends it as it ends a
  /// dead process's, a connection without unread bytes and without linger 0 with a FIN. How many of
  /// those there are.
  std::size_t orphan(std::string_view host) { return kernel_.orphan(kernel_.network.host(host)); }
  void reset_both(Socket socket) { kernel_.reset_both(socket); }
  /// Something on the way closes the connection: both ends receive a FIN now, bytes on their way
  /// are gone, and what is sent later is answered with a reset.
  void finish_both(Socket socket) { kernel_.finish_both(socket); }
  /// This end gives up with ETIMEDOUT; the connection is half-open from now on.
  void time_out(Socket socket) { kernel_.time_out(socket); }
  /// Half-open: whatever either end sends is lost from now on, for good.
  void lose(Socket socket) { kernel_.lose(socket); }
  /// The same for every connection between two hosts; new ones work.
  void lose(std::string_view host, std::string_view other) {
    kernel_.lose_between(kernel_.network.host(host), kernel_.network.host(other));
  }
  /// What was sent from this socket stands still so long.
  void clog(Socket socket, std::uint64_t duration_ns) { kernel_.clog(socket, duration_ns); }

  // --- faults -----------------------------------------------------------------------------------
  [[nodiscard]] SimFaults &faults() { return core_.faults; }
  [[nodiscard]] const SimFaultCounts &fault_counts() const { return core_.counts; }
  /// Is asked before every call of an Io, with what the call is about; empty: nobody is.
  void on_call(SimCallAnswer answer) { core_.on_call = std::move(answer); }
  /// Ends every fault: rates to zero, paths mended, links unclogged, the wall clock right. A
  /// half-open connection stays lost: keepalive or its owner must notice.
  void heal();
  /// What a connection (both ends) is doing, for the counts. Everything before a connection exists
  /// is set-up; a connection labelled kStream counts as kClosing once either direction ends.
  void label(Socket socket, SimPhase phase) { kernel_.label(socket, phase); }
  /// Connections to this port are labelled kStream once they have carried more than so many bytes,
  /// both ways together: for those whose sockets no test sees.
  void stream_after(std::uint16_t port, std::uint64_t bytes) {
    kernel_.stream_port = port;
    kernel_.stream_after_bytes = bytes;
  }
  /// Replaces those labels by an answer of the test's own; it is asked about sockets that are not
  /// yet accepted or already closed, too.
  void classify(std::function<SimPhase(Socket)> answer) { kernel_.classify = std::move(answer); }
  /// The open socket with these addresses: for tests that know links, not sockets.
  [[nodiscard]] std::optional<Socket> find(const Address &local, const Address &peer) const {
    return kernel_.find(local, peer);
  }

  // --- what happened ----------------------------------------------------------------------------
  [[nodiscard]] std::uint64_t trace_hash() const { return core_.trace.hash(); }
  /// Makes a test's own happening part of the trace.
  void note(std::uint64_t value) { core_.trace.mix(value); }
  void note(std::span<const std::byte> bytes) { core_.trace.mix(bytes); }
  /// Operations in flight, sockets open, mail under way: one line each; "" when there is nothing.
  [[nodiscard]] std::string leaks() const;
  /// The connections that their users have not closed.
  [[nodiscard]] std::vector<const SimSocket *> connections() const { return kernel_.connections(); }
  /// Sockets that their users have not closed.
  [[nodiscard]] std::size_t open_sockets() const { return kernel_.open_sockets().size(); }

private:
  friend class SimIo;
  using Pair = std::pair<int, int>; // of Io indices, from and to; from is -1 outside a shard
  struct Post {
    std::deque<Mail *> mail;
    int to = 0;
  };

  void send_mail(SimIo *from, SimIo &to, Mail &mail);
  void wait_for(SimIo &waiting, std::uint64_t deadline_ns);
  /// Like step(), but no further than the deadline and without running `resting`.
  bool step_before(std::uint64_t deadline_ns, const SimIo *resting);
  void run_one_of(const std::vector<SimIo *> &working);
  void handle(const SimEvent &event);
  [[nodiscard]] std::uint64_t next_ns(const SimIo *resting) const;

  SimCore core_;
  SimKernel kernel_;
  std::int64_t wall_offset_s_ = 0; // of jump_wall()
  std::int64_t wall_fault_s_ = 0;
  std::vector<std::unique_ptr<SimIo>> ios_;
  std::map<Pair, std::size_t> pairs_;
  std::vector<Post> posts_;
};

} // namespace culvert
