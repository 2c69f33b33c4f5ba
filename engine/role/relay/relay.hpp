// The relay of one process: what its shards share whatever its policy is.
//
// Made on the control thread before its shards, destroyed there after them. The registry and
// what is known of sources have a mutex each (set-up and tear-down only), the counters are atomics,
// read from any thread. Its shards belong to the engine and are known here so that letters find
// them.
//
// A reader begins with relay_shard.hpp, then connection.hpp.
#pragma once

#include "culvert/limits.hpp"
#include "role/acceptor.hpp"
#include "role/relay/listener_registry.hpp"
#include "role/relay/sources.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace culvert {

class RelayShard;

/// Sums over all shards since the start; each is read by itself.
struct RelayCounters {
  explicit RelayCounters(unsigned shards) : tunnels(shards) {}

  TunnelCounts tunnels;
  std::atomic<std::uint64_t> setups_failed = 0;
  std::atomic<std::uint32_t> listeners = 0; // control channels now
  std::atomic<std::uint32_t> unauthenticated = 0;
  std::atomic<std::uint32_t> pending = 0; // senders that wait now
};

class Relay {
public:
  explicit Relay(unsigned shards);
  Relay(const Relay &) = delete;
  Relay &operator=(const Relay &) = delete;
  ~Relay();

  [[nodiscard]] unsigned shards() const { return static_cast<unsigned>(shards_.size()); }
  [[nodiscard]] ListenerRegistry &registry() { return registry_; }
  [[nodiscard]] RelayCounters &counters() { return counters_; }
  [[nodiscard]] AcceptGroup &accept_group() { return accept_group_; }

  // --- for RelayShard ---------------------------------------------------------------------------
  void attach(unsigned index, RelayShard &shard);
  void detach(unsigned index);
  /// nullptr: no such shard, or not attached yet.
  [[nodiscard]] RelayShard *shard(unsigned index) const;
  /// True for the last shard that stops accepting: it closes the listening socket.
  bool stop_accepting() { return accepting_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  /// A seat among the unauthenticated connections, or why there is none.
  Sources::Admission take_seat(const Origin &origin, const RelayLimits &limits,
                               std::uint64_t now_ns);
  void leave_seat(const Origin &origin, Seat seat);
  [[nodiscard]] Sources &sources() { return sources_; }

private:
  ListenerRegistry registry_;
  Sources sources_;
  RelayCounters counters_;
  AcceptGroup accept_group_;
  std::vector<std::atomic<RelayShard *>> shards_;
  std::atomic<unsigned> accepting_;
};

} // namespace culvert
