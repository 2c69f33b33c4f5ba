// How often something has failed, and which of the failures are lines of the log: the first ones,
// then only the first for each reason, and the failures number 32, 64, 128 and so on. Failures in
// a loop cannot fill the log.
//
// A plain value; its owner guards it.
#pragma once

#include "culvert/limits.hpp"
#include "culvert/log.hpp"
#include "culvert/status.hpp"

#include <bit>
#include <cstdint>

namespace culvert {

class FailureCount {
public:
  struct Bounds {
    std::uint64_t logged = 0;    // so many at first
    std::uint64_t memory_ms = 0; // after this long without a failure the count begins again
  };
  /// Of a relay: for each source, and for the renewals of each channel.
  static Bounds bounds_of(const RelayLimits &limits) {
    return {limits.refusals_logged_per_source, limits.refusal_memory_ms};
  }
  /// A failure, and whether it is a line of the log for an operator: else it is a debug line.
  struct Failure {
    std::uint64_t count = 0; // with this one
    bool told = false;
    [[nodiscard]] LogLevel level(LogLevel if_told) const {
      return told ? if_told : LogLevel::kDebug;
    }
  };

  /// One more of a listener or sender.
  Failure add(Code why, const ClientLimits &limits, std::uint64_t now_ns) {
    return add(why, Bounds{limits.failures_logged, limits.failure_memory_ms}, now_ns);
  }
  /// One more.
  Failure add(Code why, const Bounds &bounds, std::uint64_t now_ns) {
    if (is_old(bounds, now_ns)) {
      *this = {};
    }
    latest_ns_ = now_ns;
    return counted(why, bounds.logged);
  }
  /// One more of an outage: only the first for each reason, and number 2, 4, 8 and so on are told.
  /// The owner begins with a new count when the outage is over.
  Failure add(Code why) { return counted(why, 1); }
  /// Something else of the same cause has happened: the memory begins again.
  void remember(std::uint64_t now_ns) { latest_ns_ = now_ns; }
  [[nodiscard]] bool is_old(const Bounds &bounds, std::uint64_t now_ns) const {
    return latest_ns_ + bounds.memory_ms * 1'000'000 <= now_ns;
  }
  [[nodiscard]] bool none() const { return count_ == 0; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

private:
  Failure counted(Code why, std::uint64_t logged) {
    ++count_;
    const std::uint64_t reason = std::uint64_t{1} << static_cast<unsigned>(why);
    const bool first = (reasons_ & reason) == 0;
    reasons_ |= reason;
    return {count_, first || count_ <= logged || std::has_single_bit(count_)};
  }

  std::uint64_t count_ = 0;
  std::uint64_t reasons_ = 0; // a bit for each code among them
  std::uint64_t latest_ns_ = 0;
};

} // namespace culvert
