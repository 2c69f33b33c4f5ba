// Which faults a simulated world injects, how often, and how often each one struck.
//
// A value without identity; used on the one thread that drives the world. Every rate is zero until
// set. A rate is a chance in a million each time the faulty thing could happen: per call, per
// delivery, per completion, per step of the clock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace culvert {

enum class SimFault : std::uint8_t {
  kShortRead,          // receive() gives fewer bytes than are there
  kShortWrite,         // send() takes fewer bytes than there is room for
  kDelayedDelivery,    // a delivery comes up to kSimLongestDelayNs late
  kCloggedLink,        // one direction delivers nothing for up to kSimLongestClogNs
  kReset,              // both ends of a connection are reset
  kHalfOpen,           // from now on a connection loses everything, silently, for good
  kNoBuffersOnSend,    // ENOBUFS or ENOMEM
  kNoBuffersOnReceive, // the same
  kNoBuffersOnPoll,    // the same
  kNoBuffersOnConnect, // the same
  kNoDescriptorOnOpen, // EMFILE of open() and listen()
  kNoDescriptorOnAccept,
  kConnectRefused,
  kConnectUnreachable,
  kConnectTimeout,
  kLateCompletion,      // an operation's outcome is told up to kSimLongestDelayNs late
  kReorderedCompletion, // an outcome is told after others that came later
  kCancelRace,          // a cancelled operation still ends with a real outcome
  kClockJump,           // the wall clock jumps to within an hour of the truth, either way
  kSpuriousWake,        // a poll for bytes or room fires although nothing is ready
};
inline constexpr std::size_t kSimFaultKinds = 20;

/// What a connection was doing when a fault struck it.
enum class SimPhase : std::uint8_t {
  kSetUp,
  kStream,
  kClosing,
  kNone, // the fault struck no connection
};
inline constexpr std::size_t kSimPhases = 4;

std::string_view word(SimFault fault);
std::string_view word(SimPhase phase);

class SimFaults {
public:
  SimFaults &set(SimFault fault, std::uint32_t per_million);
  /// The same rate for every kind.
  static SimFaults all(std::uint32_t per_million);
  /// The same rate for every kind after which a stream that is retried still arrives whole: not
  /// resets, half-open peers, and failures of connect, open and accept.
  static SimFaults harmless(std::uint32_t per_million);
  [[nodiscard]] std::uint32_t rate(SimFault fault) const;

private:
  std::array<std::uint32_t, kSimFaultKinds> per_million_{};
};

class SimFaultCounts {
public:
  void add(SimFault fault, SimPhase phase);
  [[nodiscard]] std::uint64_t of(SimFault fault, SimPhase phase) const;
  [[nodiscard]] std::uint64_t of(SimFault fault) const;
  /// Adds the counts of another world.
  void add(const SimFaultCounts &other);
  /// One line a kind: its word, then set-up, stream, closing and none.
  [[nodiscard]] std::string text() const;

private:
  std::array<std::array<std::uint64_t, kSimPhases>, kSimFaultKinds> counts_{};
};

} // namespace culvert
