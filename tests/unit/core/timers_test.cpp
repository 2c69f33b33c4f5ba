#include "core/random.hpp"
#include "io/timers.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <vector>

namespace culvert {
namespace {

/// What Timers promises, in the plainest way; beside it the real ones.
class Model {
public:
  Model() {
    for (int i = 0; i < kCount; ++i) {
      owned_[i].model = this;
      owned_[i].number = i;
      owned_[i].timer.bind<&Owned::on_timer>(owned_[i]);
    }
  }
  ~Model() {
    for (Owned &one : owned_) {
      one.timer.disarm();
    }
  }

  void arm(int number, std::uint64_t deadline) {
    timers_.arm(owned_[number].timer, deadline);
    forget(number);
    armed_[{firing_ ? std::max(deadline, now_) : deadline, ++sequence_}] = number;
  }
  void disarm(int number) {
    owned_[number].timer.disarm();
    forget(number);
  }
  void fire(std::uint64_t now) {
    now_ = now;
    firing_ = true;
    last_ = sequence_;
    timers_.fire(now);
    firing_ = false;
    for (const auto &[key, number] : armed_) { // all that was due has fired
      ASSERT_TRUE(key.first > now || key.second > last_);
    }
  }
  void check() {
    ASSERT_EQ(timers_.size(), armed_.size());
    ASSERT_EQ(timers_.nearest_ns(), armed_.empty() ? Timers::kNever : armed_.begin()->first.first);
    for (Owned &one : owned_) {
      const bool armed = std::any_of(armed_.begin(), armed_.end(),
                                     [&](const auto &entry) { return entry.second == one.number; });
      ASSERT_EQ(one.timer.armed(), armed);
    }
  }

  static constexpr int kCount = 40;
  SeededRandom random{5};
  std::size_t fired = 0;

private:
  struct Owned {
    void on_timer() { model->on_timer(number); }
    Model *model = nullptr;
    int number = 0;
    Timer timer;
  };
  void forget(int number) {
    std::erase_if(armed_, [&](const auto &entry) { return entry.second == number; });
  }
  void on_timer(int number) {
    ++fired;
    ASSERT_FALSE(armed_.empty());
    const auto [key, expected] = *armed_.begin();
    ASSERT_EQ(number, expected);
    ASSERT_LE(key.first, now_);
    ASSERT_LE(key.second, last_);
    armed_.erase(armed_.begin());
    const int other = static_cast<int>(random.below(kCount));
    switch (random.below(4)) { // callbacks arm, move and disarm, themselves too
    case 0:
      arm(other, now_ + random.below(50));
      break;
    case 1:
      arm(number, random.below(now_ + 1)); // for the past
      break;
    case 2:
      disarm(other);
      break;
    default:
      break;
    }
  }

  Timers timers_;
  Owned owned_[kCount];
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> armed_; // deadline, order -> number
  std::uint64_t sequence_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t now_ = 0;
  bool firing_ = false;
};

TEST(Timers, RandomUseAgreesWithAnOrderedMap) {
  Model model;
  std::uint64_t now = 1000;
  for (int step = 0; step < 20'000 && !testing::Test::HasFatalFailure(); ++step) {
    const int number = static_cast<int>(model.random.below(Model::kCount));
    switch (model.random.below(5)) {
    case 0:
    case 1:
    case 2:
      model.arm(number, now + model.random.below(100)); // deadlines often coincide
      break;
    case 3:
      model.disarm(number);
      break;
    default:
      now += model.random.below(30);
      model.fire(now);
    }
    model.check();
  }
  EXPECT_GT(model.fired, 3'000U);
}

struct Counter {
  void count() { ++fired; }
  int fired = 0;
};

TEST(Timers, ATimerLeavesWhenItDies) {
  Timers timers;
  Counter counter;
  {
    Timer timer;
    timer.bind<&Counter::count>(counter);
    timers.arm(timer, 5);
    EXPECT_EQ(timers.nearest_ns(), 5U);
  }
  EXPECT_EQ(timers.size(), 0U);
  EXPECT_EQ(timers.nearest_ns(), Timers::kNever);
  timers.fire(10);
  EXPECT_EQ(counter.fired, 0);
}

} // namespace
} // namespace culvert
