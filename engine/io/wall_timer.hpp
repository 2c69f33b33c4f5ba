// A one-shot timer for a moment of the wall clock, for tokens.
//
// Belongs to one shard. The wall clock may be set at any time, so the timer compares it with its
// moment at least once in kLookMs. It fires up to a second late, because the wall clock has whole
// seconds.
#pragma once

#include "io/io.hpp"

#include <algorithm>
#include <cstdint>

namespace culvert {

class WallTimer {
public:
  explicit WallTimer(Io &io) : io_(io) { look_.bind<&WallTimer::look>(*this); }
  WallTimer(const WallTimer &) = delete;
  WallTimer &operator=(const WallTimer &) = delete;

  template <auto Method, typename Owner> void bind(Owner &owner) {
    due_ = Delegate<>::to<Method>(owner);
  }
  /// Fires `delay_ms` after `unix_s`, and from the loop if that is now or in the past. An armed
  /// timer is moved. `delay_ms` is at most kMostDelayMs.
  void arm(std::int64_t unix_s, std::int64_t delay_ms = 0) {
    unix_s_ = unix_s;
    delay_ms_ = delay_ms;
    io_.arm_after_ms(look_, static_cast<std::uint64_t>(std::min(left_ms(), kLookMs)));
  }
  void disarm() { look_.disarm(); }

  static constexpr std::int64_t kMostDelayMs = 24 * 3'600'000;

private:
  static constexpr std::int64_t kLookMs = 60'000;

  /// At most a day more than the delay, so that no sum overflows.
  [[nodiscard]] std::int64_t left_ms() const {
    constexpr std::int64_t kDaySec = kMostDelayMs / 1'000;
    const std::int64_t left_s = std::clamp(unix_s_ - io_.wall_s(), -kDaySec, kDaySec);
    return std::max<std::int64_t>(left_s * 1'000 + delay_ms_, 0);
  }
  void look() {
    if (left_ms() > 0) {
      arm(unix_s_, delay_ms_);
    } else {
      due_();
    }
  }

  Io &io_;
  Delegate<> due_;
  std::int64_t unix_s_ = 0;
  std::int64_t delay_ms_ = 0;
  Timer look_;
};

} // namespace culvert
