// The relay of one process: what its shards share, independent of the policy.
//
// Made on the control thread before its shards, destroyed there after them. The registry and the
// table of sources have a mutex each, used in set-up and tear-down only. Any thread may read the
// counters. The engine owns the shards; they are listed here so that letters find them.
//
// How two connections meet: engine/shards.md. Read relay_shard.hpp next, then connection.hpp.
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

/// Sums over all shards since the start. They are read one by one, not together.
struct RelayCounters {
  explicit RelayCounters(unsigned shards) : tunnels(shards) {}

  TunnelCounts tunnels;
  std::atomic<std::uint64_t> setups_failed = 0;
  CountsByCode failures;
  std::atomic<std::uint32_t> listeners = 0; // control channels now
  std::atomic<std::uint32_t> unauthenticated = 0;
  std::atomic<std::uint32_t> pending = 0; // senders that wait now

  void refused(Code why) {
    setups_failed.fetch_add(1, std::memory_order_relaxed);
    failures.add(why);
  }
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
  /// nullptr: no such shard, or it is not attached yet.
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
