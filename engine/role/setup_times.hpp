// The steps of a tunnel's set-up, and how long they took, counted in classes.
//
// Parts of a role add on their shards, in set-up only; any thread reads.
#pragma once

#include "culvert/snapshot.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace culvert {

/// A role has two of them, one after the other.
enum class SetupStep : std::uint8_t {
  kQueued,   // sender: from the app's connection to the first dial
  kDialled,  // sender: from there to the tunnel, with repetitions
  kTarget,   // listener: from the offer to the target's connection
  kFetched,  // listener: from there to the tunnel
  kAdmitted, // relay: from the sender's connection to the first offer
  kMet,      // relay: from there to the tunnel
};
inline constexpr std::size_t kSetupSteps = 6;

/// "queued", for metrics.
constexpr std::string_view word(SetupStep step) {
  constexpr std::string_view kWords[kSetupSteps] = {"queued",  "dialled",  "target",
                                                    "fetched", "admitted", "met"};
  return kWords[static_cast<std::size_t>(step)];
}
/// "queued_ms", for log lines.
constexpr std::string_view log_field(SetupStep step) {
  constexpr std::string_view kWords[kSetupSteps] = {"queued_ms",  "dialled_ms",  "target_ms",
                                                    "fetched_ms", "admitted_ms", "met_ms"};
  return kWords[static_cast<std::size_t>(step)];
}

struct StepTime {
  SetupStep step = SetupStep::kQueued;
  std::uint64_t ns = 0;
  [[nodiscard]] std::string ms() const { return std::to_string(ns / 1'000'000); }
};
/// Both steps of a role, which divide the time from `began_ns` to `ended_ns`.
using StepTimes = std::array<StepTime, 2>;
constexpr StepTimes step_times(SetupStep first, std::uint64_t began_ns,
                               std::uint64_t first_ended_ns, SetupStep second,
                               std::uint64_t ended_ns) {
  return {{{first, first_ended_ns - began_ns}, {second, ended_ns - first_ended_ns}}};
}

/// Of one step.
class StepClasses {
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

/// Of all steps of a role.
class SetupTimes {
public:
  void add(const StepTimes &times) {
    for (const StepTime &time : times) {
      steps_[static_cast<std::size_t>(time.step)].add(time.ns);
    }
  }
  /// By word(SetupStep); those that occurred.
  [[nodiscard]] std::map<std::string, TimeClasses> read() const {
    std::map<std::string, TimeClasses> all;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      TimeClasses times = steps_[i].read();
      if (std::any_of(times.counts.begin(), times.counts.end(),
                      [](std::uint64_t count) { return count > 0; })) {
        all.emplace(word(static_cast<SetupStep>(i)), std::move(times));
      }
    }
    return all;
  }

private:
  std::array<StepClasses, kSetupSteps> steps_;
};

} // namespace culvert
