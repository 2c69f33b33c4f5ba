// What a plugin waits for: timers in the simulated world, watches with real descriptors.
#include "plugin/waits.hpp"
#include "io/uring/uring_io.hpp"
#include "plugin_world.hpp"

#include "culvert/service.h"

#include <array>
#include <functional>
#include <sys/socket.h>
#include <unistd.h>

namespace culvert::test {
namespace {

/// Counts its calls, and can do something in each.
struct Called {
  int times = 0;
  std::function<void()> then;
  static void call(void *context) {
    auto &self = *static_cast<Called *>(context);
    ++self.times;
    if (self.then) {
      self.then();
    }
  }
  PluginWaits::Callback callback() { return {&call, this}; }
};

class PluginTimers : public testing::Test {
protected:
  PluginWorld world_;
  CallWatch calls_{world_.clock, world_.log, "test_plugin"};
  PluginWaits waits_{world_.shard, calls_};
  Called called_;
};

TEST_F(PluginTimers, RunOnceAfterTheirDelay) {
  EXPECT_NE(waits_.start_timer(1'000, called_.callback()), 0U);
  world_.sim.run_for(999);
  EXPECT_EQ(called_.times, 0);
  world_.sim.run_for(2);
  EXPECT_EQ(called_.times, 1);
  world_.sim.run_for(10'000);
  EXPECT_EQ(called_.times, 1);
}

TEST_F(PluginTimers, NeverRunInsideTheCallThatStartsThem) {
  waits_.start_timer(0, called_.callback());
  EXPECT_EQ(called_.times, 0);
  world_.sim.run_for(1);
  EXPECT_EQ(called_.times, 1);
}

TEST_F(PluginTimers, DoNotRunWhenTheyAreCancelled) {
  const std::uint64_t number = waits_.start_timer(1'000, called_.callback());
  waits_.cancel_timer(number);
  waits_.cancel_timer(number);
  waits_.cancel_timer(0);
  waits_.cancel_watch(number);
  world_.sim.run_for(10'000);
  EXPECT_EQ(called_.times, 0);
}

TEST_F(PluginTimers, MayStartAndCancelOthersInTheirCallback) {
  Called other;
  std::uint64_t own = 0;
  const std::uint64_t unwanted = waits_.start_timer(2'000, other.callback());
  called_.then = [&] {
    waits_.cancel_timer(own); // its number means nothing any more
    waits_.cancel_timer(unwanted);
    if (called_.times < 3) {
      own = waits_.start_timer(1'000, called_.callback());
    }
  };
  own = waits_.start_timer(1'000, called_.callback());
  world_.sim.run_for(10'000);
  EXPECT_EQ(called_.times, 3);
  EXPECT_EQ(other.times, 0);
}

TEST_F(PluginTimers, AreBoundedInNumberAndLength) {
  for (std::size_t i = 0; i < kPluginTimers; ++i) {
    ASSERT_NE(waits_.start_timer(UINT64_MAX, called_.callback()), 0U);
  }
  EXPECT_EQ(waits_.start_timer(1, called_.callback()), 0U);
  EXPECT_EQ(waits_.end(), kPluginTimers);
  EXPECT_EQ(waits_.start_timer(1, called_.callback()), 0U);
}

TEST_F(PluginTimers, ASimulationHasNoDescriptorsToWatch) {
  EXPECT_EQ(waits_.watch(0, Interest::kReadable, called_.callback()), 0U);
}

/// The services as a plugin has them, of an instance that leaves a timer behind.
class PluginWaitServices : public testing::Test {
protected:
  static inline const culvert_host *host_ = nullptr;
  static inline Called called_;

  static const culvert_timer &timer() {
    return *static_cast<const culvert_timer *>(host_->service(host_, CULVERT_SERVICE_TIMER));
  }
  static const culvert_watch &watch() {
    return *static_cast<const culvert_watch *>(host_->service(host_, CULVERT_SERVICE_WATCH));
  }
  void SetUp() override {
    called_ = {};
    ASSERT_TRUE(world_.plugin_set.register_static(entry_.entry).ok());
    unit_ =
        std::move(world_.plugin_set.make_unit("test_plugin", PluginKind::kResolver, {}).value());
    resolver_ = std::move(unit_->resolver(world_.shard).value());
  }

  PluginWorld world_;
  culvert_resolver functions_{
      sizeof functions_,
      0,
      {nullptr, nullptr,
       [](void *, const culvert_host *host, std::uint32_t, culvert_status *) -> void * {
         host_ = host;
         EXPECT_NE(timer().start(host, 1'000, &Called::call, &called_), 0U);
         return &called_;
       },
       nullptr},
      [](void *, culvert_resolve *) -> std::uint32_t { return CULVERT_DONE; },
      nullptr};
  TestEntry entry_{CULVERT_KIND_RESOLVER, &functions_};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(PluginWaitServices, ATimerOfAttachRuns) {
  world_.sim.run_for(1'001);
  EXPECT_EQ(called_.times, 1);
}

TEST_F(PluginWaitServices, WhatIsLeftAfterDetachIsCancelledAndLogged) {
  resolver_.reset();
  EXPECT_TRUE(world_.logged("still had watches or timers"));
  EXPECT_TRUE(world_.logged("waits=1"));
  world_.sim.run_for(2'000);
  EXPECT_EQ(called_.times, 0);
}

TEST_F(PluginWaitServices, WrongArgumentsStartNothing) {
  EXPECT_EQ(timer().start(host_, 1, nullptr, &called_), 0U);
  EXPECT_EQ(watch().start(host_, 0, CULVERT_READABLE, nullptr, &called_), 0U);
  EXPECT_EQ(watch().start(host_, 0, 2, &Called::call, &called_), 0U);
  const std::uint64_t number = timer().start(host_, 1, &Called::call, &called_);
  timer().cancel(host_, number);
  watch().cancel(host_, number);
  world_.sim.run_for(100);
  EXPECT_EQ(called_.times, 0);
}

TEST_F(PluginWaitServices, AUnitHasNothingToWaitWith) {
  const PluginHost unit(world_.services, "test_plugin", std::make_shared<const ConfigValues>());
  EXPECT_EQ(timer().start(&unit, 1, &Called::call, &called_), 0U);
  EXPECT_EQ(watch().start(&unit, 0, CULVERT_READABLE, &Called::call, &called_), 0U);
  timer().cancel(&unit, 1);
  watch().cancel(&unit, 1);
}

/// One real shard, driven by the test.
class PluginWatches : public testing::Test {
protected:
  void SetUp() override {
    Result<std::unique_ptr<Io>> made = make_uring_io(world_.log);
    ASSERT_TRUE(made.ok()) << made.status().message;
    io_ = std::move(made.value());
    shard_ = std::make_unique<Shard>(*io_, *world_.random, world_.log, 0);
    waits_ = std::make_unique<PluginWaits>(*shard_, calls_);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_.data()), 0);
  }
  void TearDown() override {
    waits_.reset();
    run_until([&] { return io_->in_flight() == 0; });
    for (const int descriptor : pair_) {
      ::close(descriptor);
    }
  }
  template <typename Done> void run_until(Done done) {
    const std::uint64_t patience_ns = io_->now_ns() + 60'000'000'000;
    while (!done()) {
      ASSERT_LT(io_->now_ns(), patience_ns);
      if (!io_->run_ready() && !done()) {
        io_->wait(io_->now_ns() + 20'000'000);
      }
    }
  }
  /// Until whatever is ready has run: a watch that is started last completes last.
  void settle() {
    Called last;
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ASSERT_NE(waits_->watch(ends[0], Interest::kWritable, last.callback()), 0U);
    run_until([&] { return last.times == 1; });
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void say() { ASSERT_EQ(::write(pair_[1], "x", 1), 1); }

  PluginWorld world_;
  CallWatch calls_{world_.clock, world_.log, "test_plugin"};
  std::unique_ptr<Io> io_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<PluginWaits> waits_;
  std::array<int, 2> pair_{-1, -1};
  Called called_;
};

TEST_F(PluginWatches, RunOnceWhenTheDescriptorCanBeRead) {
  EXPECT_NE(waits_->watch(pair_[0], Interest::kReadable, called_.callback()), 0U);
  settle();
  EXPECT_EQ(called_.times, 0);
  say();
  run_until([&] { return called_.times == 1; });
  say();
  settle();
  EXPECT_EQ(called_.times, 1);
  EXPECT_NE(waits_->watch(pair_[0], Interest::kReadable, called_.callback()), 0U);
  run_until([&] { return called_.times == 2; });
}

TEST_F(PluginWatches, RunWhenItCanBeWritten) {
  waits_->watch(pair_[0], Interest::kWritable, called_.callback());
  EXPECT_EQ(called_.times, 0) << "never inside the call";
  run_until([&] { return called_.times == 1; });
}

TEST_F(PluginWatches, RunWhenTheOtherSideIsGone) {
  waits_->watch(pair_[0], Interest::kReadable, called_.callback());
  ::close(std::exchange(pair_[1], -1));
  run_until([&] { return called_.times == 1; });
}

TEST_F(PluginWatches, DoNotRunWhenTheyAreCancelledEvenIfReady) {
  const std::uint64_t number = waits_->watch(pair_[0], Interest::kReadable, called_.callback());
  say();
  waits_->cancel_watch(number);
  waits_->cancel_watch(number);
  settle();
  run_until([&] { return io_->in_flight() == 0; });
  EXPECT_EQ(called_.times, 0);
}

TEST_F(PluginWatches, TheDescriptorMayBeClosedBehindACancelAndItsNumberUsedAgain) {
  const std::uint64_t number = waits_->watch(pair_[0], Interest::kReadable, called_.callback());
  settle();
  waits_->cancel_watch(number);
  const int before = pair_[0];
  ::close(pair_[0]);
  ::close(pair_[1]);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_.data()), 0);
  ASSERT_EQ(pair_[0], before);
  Called other;
  waits_->watch(pair_[0], Interest::kReadable, other.callback());
  say();
  run_until([&] { return other.times == 1; });
  EXPECT_EQ(called_.times, 0);
}

TEST_F(PluginWatches, MayCancelOthersInTheirCallback) {
  Called other;
  const std::uint64_t unwanted = waits_->watch(pair_[0], Interest::kWritable, other.callback());
  waits_->cancel_watch(unwanted);
  std::uint64_t second = 0;
  called_.then = [&] { waits_->cancel_watch(second); };
  waits_->watch(pair_[0], Interest::kWritable, called_.callback());
  second = waits_->watch(pair_[0], Interest::kReadable, other.callback());
  run_until([&] { return called_.times == 1; });
  say();
  settle();
  EXPECT_EQ(other.times, 0);
}

TEST_F(PluginWatches, AreBoundedWithThoseThatAreCancelled) {
  for (std::size_t i = 0; i < kPluginWatches; ++i) {
    const std::uint64_t number = waits_->watch(pair_[0], Interest::kReadable, called_.callback());
    ASSERT_NE(number, 0U);
    waits_->cancel_watch(number);
  }
  EXPECT_EQ(waits_->watch(pair_[0], Interest::kReadable, called_.callback()), 0U);
  run_until([&] { return io_->in_flight() == 0; });
  EXPECT_NE(waits_->watch(pair_[0], Interest::kReadable, called_.callback()), 0U);
}

TEST_F(PluginWatches, OfADescriptorThatIsNotOpenFail) {
  EXPECT_EQ(waits_->watch(-1, Interest::kReadable, called_.callback()), 0U);
  EXPECT_EQ(waits_->watch(1'000'000, Interest::kReadable, called_.callback()), 0U);
}

TEST_F(PluginWatches, WhatIsLeftEndsWithTheInstance) {
  waits_->watch(pair_[0], Interest::kReadable, called_.callback());
  waits_->watch(pair_[1], Interest::kReadable, called_.callback());
  EXPECT_EQ(waits_->end(), 2U);
  EXPECT_EQ(waits_->end(), 0U);
  EXPECT_EQ(waits_->watch(pair_[0], Interest::kReadable, called_.callback()), 0U);
}

} // namespace
} // namespace culvert::test
