// How long set-ups took, counted in classes.
//
// Parts of a role add on their shards, in set-up only; any thread reads.
#pragma once

#include "culvert/snapshot.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace culvert {

class SetupTimes {
public:
  void add(std::uint64_t took_ns) {
    const auto at = std::lower_bound(kBoundsMs.begin(), kBoundsMs.end(),
                                     static_cast<double>(took_ns) / kNsPerMs);
    counts_[static_cast<std::size_t>(at - kBoundsMs.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
    sum_ns_.fetch_add(took_ns, std::memory_order_relaxed);
  }
  [[nodiscard]] TimeClasses read() const {
    TimeClasses times;
    for (const double bound : kBoundsMs) {
      times.bounds_s.push_back(bound / 1'000);
    }
    for (const std::atomic<std::uint64_t> &count : counts_) {
      times.counts.push_back(count.load(std::memory_order_relaxed));
    }
    times.sum_s = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
    return times;
  }

private:
  static constexpr double kNsPerMs = 1e6;
  /// From a relay in the same machine to a set-up that was repeated for long.
  static constexpr std::array<double, 12> kBoundsMs{1,   2.5, 5,     10,    25,    50,
                                                    100, 250, 1'000, 2'500, 5'000, 30'000};
  std::array<std::atomic<std::uint64_t>, kBoundsMs.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_ = 0;
};

} // namespace culvert
