// When a lost listener tries its relay again: at once, then after a random part of what the outage
// has lasted so far, between half and all of it, within a floor and a ceiling.
//
// So a relay that was away for seconds is found within seconds, one that was away for an hour is
// not asked by everybody at once, and nobody waits longer than the ceiling. After a refusal that no
// waiting mends (a wrong key, a missing right) the pace is that of a long outage at once. Pure but
// for the random source; belongs to one shard. A connection that did not stand for the floor does
// not end an outage: a relay that lets everybody in and out again must not be dialled without a
// pause.
#pragma once

#include "core/random.hpp"
#include "culvert/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace culvert {

class Reconnect {
public:
  /// The connection stands: if it does so for the floor, the next loss begins a new outage.
  void succeeded(std::uint64_t now_ns) { stands_since_ns_ = now_ns; }
  /// The relay is there and refuses who we are, until an operator has changed something.
  void refused() { refused_ = true; }
  /// How long to wait from now; 0 for the first try of an outage.
  std::uint64_t next_delay_ms(std::uint64_t now_ns, Random &random, const ClientLimits &limits) {
    const bool stood = stands_since_ns_ != 0 &&
                       now_ns - stands_since_ns_ >= limits.reconnect_floor_ms * 1'000'000U;
    stands_since_ns_ = 0;
    if (lost_at_ns_ == 0 || stood) {
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
  std::uint64_t stands_since_ns_ = 0; // 0: it does not
  bool refused_ = false;              // the last try
};

} // namespace culvert
