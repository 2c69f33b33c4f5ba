// One-shot timers of one shard: an indexed binary heap in user space.
//
// The kernel sees only the nearest deadline of all of them. Arming and disarming are immediate, so
// a disarmed timer never fires late and needs no join; a timer disarms itself when it is destroyed.
// Timers of one deadline fire in the order in which they were armed.
#pragma once

#include "core/delegate.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace culvert {

class Timers;

class Timer {
public:
  Timer() = default;
  Timer(const Timer &) = delete;
  Timer &operator=(const Timer &) = delete;
  ~Timer();

  template <auto Method, typename Owner> void bind(Owner &owner) {
    callback_ = Delegate<>::to<Method>(owner);
  }
  [[nodiscard]] bool armed() const { return timers_ != nullptr; }
  /// Does nothing if it is not armed.
  void disarm();

private:
  friend class Timers;
  Delegate<> callback_;
  Timers *timers_ = nullptr;
  std::size_t place_ = 0;
  std::uint64_t deadline_ns_ = 0;
  std::uint64_t sequence_ = 0;
};

class Timers {
public:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  Timers() = default;
  Timers(const Timers &) = delete;
  Timers &operator=(const Timers &) = delete;
  ~Timers();

  /// Arms the timer for a moment of the shard's monotonic clock; an armed timer is moved.
  void arm(Timer &timer, std::uint64_t deadline_ns);
  /// The nearest deadline, or kNever.
  [[nodiscard]] std::uint64_t nearest_ns() const;
  /// Runs what is due at `now_ns`; a timer armed by one of these callbacks waits for the next call.
  void fire(std::uint64_t now_ns);
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

private:
  friend class Timer;
  void remove(Timer &timer);
  void place(Timer &timer, std::size_t place);
  void rise(std::size_t place);
  void sink(std::size_t place);
  static bool before(const Timer &left, const Timer &right);

  std::vector<Timer *> heap_;
  std::uint64_t sequence_ = 0;
  std::uint64_t firing_ns_ = 0; // the moment that is being fired, or 0
};

} // namespace culvert
