// Delays between a listener's attempts to reach its relay: none before the first attempt, then a
// random time between half and all of the outage so far, between a floor and a ceiling.
//
// So a short outage ends within seconds; after a long one not all listeners dial at the same
// moment, and none waits longer than the ceiling. After a refusal that waiting cannot cure (a wrong
// key, a missing right) the delays are those of a long outage at once. A connection that lasted
// shorter than the floor does not end an outage, so a relay that accepts and drops at once is not
// dialled without a pause. Belongs to one shard; the random source is passed in.
#pragma once

#include "core/random.hpp"
#include "culvert/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace culvert {

class Reconnect {
public:
  /// The connection is registered. If it lasts for the floor, the next loss begins a new outage.
  void succeeded(std::uint64_t now_ns) { stands_since_ns_ = now_ns; }
  /// Whether the connection has lasted for the floor: if it is lost now, a new outage begins.
  [[nodiscard]] bool stood(std::uint64_t now_ns, const ClientLimits &limits) const {
    return stands_since_ns_ != 0 &&
           now_ns - stands_since_ns_ >= limits.reconnect_floor_ms * 1'000'000U;
  }
  /// The relay is there and refuses this client until an operator has changed something.
  void refused() { refused_ = true; }
  /// How long to wait from now; 0 for the first attempt of an outage.
  std::uint64_t next_delay_ms(std::uint64_t now_ns, Random &random, const ClientLimits &limits) {
    const bool is_new = lost_at_ns_ == 0 || stood(now_ns, limits);
    stands_since_ns_ = 0;
    if (is_new) {
      lost_at_ns_ = now_ns;
      return 0;
    }
    const std::uint64_t outage_ms = std::exchange(refused_, false)
                                        ? limits.reconnect_ceiling_ms
                                        : (now_ns - lost_at_ns_) / 1'000'000U;
    const std::uint64_t part_ms = outage_ms / 2 + random.below(outage_ms / 2 + 1);
    return std::clamp(part_ms, limits.reconnect_floor_ms, limits.reconnect_ceiling_ms);
  }

private:
  std::uint64_t lost_at_ns_ = 0;
  std::uint64_t stands_since_ns_ = 0; // 0: not registered
  bool refused_ = false;              // the last try
};

} // namespace culvert
