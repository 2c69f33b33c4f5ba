#include "io/timers.hpp"

#include "core/assert.hpp"

#include <algorithm>

namespace culvert {

Timer::~Timer() {
  disarm();
}

void Timer::disarm() {
  if (timers_ != nullptr) {
    timers_->remove(*this);
  }
}

Timers::~Timers() {
  CULVERT_ASSERT(heap_.empty());
}

bool Timers::before(const Timer &left, const Timer &right) {
  return left.deadline_ns_ != right.deadline_ns_ ? left.deadline_ns_ < right.deadline_ns_
                                                 : left.sequence_ < right.sequence_;
}

void Timers::arm(Timer &timer, std::uint64_t deadline_ns) {
  CULVERT_ASSERT(timer.callback_);
  timer.disarm();
  timer.timers_ = this;
  // A timer that a callback arms for the past is placed after everything that is due; otherwise it
  // would hide those.
  timer.deadline_ns_ = std::max(deadline_ns, firing_ns_);
  timer.sequence_ = sequence_++;
  heap_.push_back(&timer);
  rise(heap_.size() - 1);
}

std::uint64_t Timers::nearest_ns() const {
  return heap_.empty() ? kNever : heap_.front()->deadline_ns_;
}

void Timers::fire(std::uint64_t now_ns) {
  const std::uint64_t armed_before = sequence_;
  firing_ns_ = now_ns;
  while (!heap_.empty() && heap_.front()->deadline_ns_ <= now_ns &&
         heap_.front()->sequence_ < armed_before) {
    Timer &timer = *heap_.front();
    remove(timer);
    timer.callback_();
  }
  firing_ns_ = 0;
}

void Timers::remove(Timer &timer) {
  CULVERT_ASSERT(timer.timers_ == this && heap_[timer.place_] == &timer);
  const std::size_t hole = timer.place_;
  timer.timers_ = nullptr;
  Timer &last = *heap_.back();
  heap_.pop_back();
  if (&last != &timer) {
    place(last, hole);
    rise(hole);
    sink(last.place_);
  }
}

void Timers::place(Timer &timer, std::size_t place) {
  heap_[place] = &timer;
  timer.place_ = place;
}

void Timers::rise(std::size_t place_of_riser) {
  Timer &timer = *heap_[place_of_riser];
  std::size_t hole = place_of_riser;
  while (hole > 0 && before(timer, *heap_[(hole - 1) / 2])) {
    place(*heap_[(hole - 1) / 2], hole);
    hole = (hole - 1) / 2;
  }
  place(timer, hole);
}

void Timers::sink(std::size_t place_of_sinker) {
  Timer &timer = *heap_[place_of_sinker];
  std::size_t hole = place_of_sinker;
  for (;;) {
    std::size_t child = 2 * hole + 1;
    if (child >= heap_.size()) {
      break;
    }
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) {
      ++child;
    }
    if (!before(*heap_[child], timer)) {
      break;
    }
    place(*heap_[child], hole);
    hole = child;
  }
  place(timer, hole);
}

} // namespace culvert
