// How many set-ups a sender may have in progress at its relay: a window that grows with each
// success and shrinks when the relay refuses because of overload, as TCP's congestion window does.
//
// Pure; belongs to one shard's part of a sender. The window doubles in each round of full successes
// until the first refusal, and grows by one a round from there on. A refusal halves it. Refusals of
// other set-ups that began before that one count as the same refusal.
#pragma once

#include "core/assert.hpp"
#include "culvert/limits.hpp"

#include <algorithm>
#include <cstdint>

namespace culvert {

class Pacer {
public:
  explicit Pacer(const ClientLimits &limits)
      : window_(static_cast<std::uint32_t>(limits.first_setups)) {
    use(limits);
  }
  /// For what begins from now on: a window that is too large shrinks, what runs goes on.
  void use(const ClientLimits &limits) {
    most_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(limits.setups_per_shard / 4, 1));
    window_ = std::min(window_, most_);
  }

  [[nodiscard]] std::uint32_t window() const { return window_; }
  [[nodiscard]] std::uint32_t running() const { return running_; }
  [[nodiscard]] bool may_start() const { return running_ < window_; }
  /// A set-up begins. If it is refused, pass the result to refused().
  std::uint32_t begin() {
    ++running_;
    return round_;
  }
  void succeeded() {
    const bool was_full = running_ >= window_;
    ended();
    credit_ += was_full ? 1 : 0; // a window that is not used says nothing about its size
    if (credit_ >= (refused_once_ ? window_ : 1)) {
      credit_ = 0;
      window_ = std::min(window_ + 1, most_);
    }
  }
  void refused(std::uint32_t began_in_round) {
    ended();
    if (began_in_round == round_) {
      ++round_;
      refused_once_ = true;
      credit_ = 0;
      window_ = std::max(window_ / 2, 1U);
    }
  }
  /// It failed for another reason.
  void ended() {
    CULVERT_ASSERT(running_ > 0);
    --running_;
  }

private:
  /// As many may wait for the window, and as many again may have been accepted beyond that.
  std::uint32_t most_ = 0;
  std::uint32_t window_;
  std::uint32_t running_ = 0;
  std::uint32_t credit_ = 0;
  std::uint32_t round_ = 0;
  bool refused_once_ = false;
};

} // namespace culvert
