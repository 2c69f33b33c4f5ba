// What every part of a simulated world shares: clock, seed, events, faults and trace.
//
// One world has one core, used on the one thread that drives the world. Nothing here depends on
// real time, real randomness or the address of anything.
#pragma once

#include "core/random.hpp"
#include "support/sim/sim_call.hpp"
#include "support/sim/sim_faults.hpp"
#include "support/sim/sim_trace.hpp"

#include <cstdint>
#include <queue>
#include <vector>

namespace culvert {

/// The most a delayed delivery or a late completion is late.
inline constexpr std::uint64_t kSimLongestDelayNs = 50'000'000;
/// The longest time a clogged direction delivers nothing.
inline constexpr std::uint64_t kSimLongestClogNs = 5'000'000'000;
/// A wall clock fault is at most this far from the truth.
inline constexpr std::int64_t kSimLongestJumpSec = 3'600;
/// An event so close may come before a loop that could run already: loops find several things.
inline constexpr std::uint64_t kSimWakeNs = 2'000;

struct SimEvent {
  enum class Kind : std::uint8_t {
    kDelivery,  // of the bytes or the end that socket `subject` sent
    kReset,     // a reset reaches socket `subject`
    kGiveUp,    // socket `subject` has heard nothing for too long, if `detail` is its watch
    kSyn,       // operation `subject` knocks for the `detail`th time
    kEndAccept, // a cancelled accept ends, operation `subject`
    kOutcome,   // the next outcome of operation `subject` is due
    kMail       // the next mail of pair `subject` is due
  };
  std::uint64_t time_ns = 0;
  std::uint64_t tie = 0; // drawn by seed
  std::uint64_t sequence = 0;
  Kind kind = Kind::kDelivery;
  std::uint64_t subject = 0;
  std::uint64_t detail = 0;

  /// Orders a priority queue: the later event is the smaller one.
  bool operator<(const SimEvent &other) const {
    if (time_ns != other.time_ns) {
      return time_ns > other.time_ns;
    }
    return tie != other.tie ? tie > other.tie : sequence > other.sequence;
  }
};

struct SimCore {
  SimCore(std::uint64_t seed, const SimFaults &faults_of_it) : random(seed), faults(faults_of_it) {}

  void after(std::uint64_t delay_ns, SimEvent::Kind kind, std::uint64_t subject,
             std::uint64_t detail = 0) {
    events.push({now_ns + delay_ns, random.next(), sequence++, kind, subject, detail});
  }
  /// Draws whether a fault strikes now, and counts it. A rate of zero draws nothing.
  bool strikes(SimFault fault, SimPhase phase) {
    const std::uint32_t rate = faults.rate(fault);
    if (rate == 0 || random.below(1'000'000) >= rate) {
      return false;
    }
    counts.add(fault, phase);
    trace.mix(0xFA000000U + static_cast<std::uint64_t>(fault));
    return true;
  }

  /// Asks the test what happens to a call.
  SimStrike strike(const SimCall &call) const { return on_call ? on_call(call) : SimStrike{}; }

  std::uint64_t now_ns = 1'000'000'000; // a clock that began before this world, like a real one
  SeededRandom random;
  SimFaults faults;
  SimFaultCounts counts;
  SimCallAnswer on_call;
  SimTrace trace;
  std::priority_queue<SimEvent> events;
  std::uint64_t sequence = 0;
};

} // namespace culvert
