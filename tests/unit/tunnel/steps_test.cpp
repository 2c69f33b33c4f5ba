// The set-up table: its order, its deadlines, and that it reports exactly once.
#include "tunnel/steps.hpp"

#include "unit/link/link_suite.hpp"
#include "unit/sim/sim_tools.hpp"

namespace culvert::test {
namespace {

/// An owner with three steps, each of which does what the test says.
class SetUpOwner {
public:
  explicit SetUpOwner(Shard &shard_of_it)
      : shard(shard_of_it),
        steps(shard_of_it, *this, Delegate<const Status &>::to<&SetUpOwner::on_done>(*this)) {}

  [[nodiscard]] std::uint64_t one_second() const { return 1'000; }
  [[nodiscard]] std::uint64_t two_seconds() const { return 2'000; }
  [[nodiscard]] std::uint64_t three_seconds() const { return 3'000; }
  void start_one() { begin("one"); }
  void start_two() { begin("two"); }
  void start_three() { begin("three"); }
  void cancel_any() {
    calls.push_back(std::string("cancel ") + steps.name());
    if (when_cancelled) {
      when_cancelled();
    }
  }
  void begin(const std::string &name) {
    calls.push_back(name);
    if (when_started) {
      when_started(name);
    }
  }
  void on_done(const Status &status) {
    outcomes.push_back(status);
    running_inside_done = steps.running();
    if (when_done) {
      when_done();
    }
  }

  Shard &shard;
  Steps<SetUpOwner> steps;
  std::vector<std::string> calls;
  std::vector<Status> outcomes;
  bool running_inside_done = false;
  std::function<void(const std::string &)> when_started;
  std::function<void()> when_cancelled;
  std::function<void()> when_done;
};

constexpr std::array<Step<SetUpOwner>, 3> kTable{{
    {"one", &SetUpOwner::one_second, &SetUpOwner::start_one, &SetUpOwner::cancel_any},
    {"two", &SetUpOwner::two_seconds, &SetUpOwner::start_two, &SetUpOwner::cancel_any,
     Source::kRelay},
    {"three", &SetUpOwner::three_seconds, &SetUpOwner::start_three, &SetUpOwner::cancel_any},
}};

Status failure_of(const char *why) {
  return Status::failure(Code::kRejected, Source::kRelay, Retry::kBackoff, why);
}

class StepsTest : public testing::Test {
protected:
  TestWorld *world = new TestWorld; // the lab's
  LinkLab lab{std::unique_ptr<IoWorld>(world)};
  std::unique_ptr<SetUpOwner> owner = std::make_unique<SetUpOwner>(lab.shard());
};

using Calls = std::vector<std::string>;

TEST_F(StepsTest, StepsRunInOrderEachBehindTheOneBefore) {
  EXPECT_FALSE(owner->steps.running());
  EXPECT_STREQ(owner->steps.name(), "");
  owner->steps.start(kTable);
  for (const char *name : {"one", "two", "three"}) {
    EXPECT_EQ(owner->calls.back(), name);
    EXPECT_STREQ(owner->steps.name(), name);
    EXPECT_TRUE(owner->steps.running());
    EXPECT_TRUE(owner->outcomes.empty());
    owner->steps.completed({});
  }
  ASSERT_EQ(owner->outcomes.size(), 1U);
  EXPECT_TRUE(owner->outcomes[0].ok());
  EXPECT_FALSE(owner->running_inside_done);
  EXPECT_EQ(owner->calls, (Calls{"one", "two", "three"}));
  EXPECT_EQ(lab.leaks(), ""); // no deadline is left
}

TEST_F(StepsTest, AStepMayCompleteInsideItsStart) {
  owner->when_started = [&](const std::string &) { owner->steps.completed({}); };
  owner->steps.start(kTable);
  ASSERT_EQ(owner->outcomes.size(), 1U);
  EXPECT_TRUE(owner->outcomes[0].ok());
  EXPECT_EQ(owner->calls, (Calls{"one", "two", "three"}));
  EXPECT_EQ(lab.leaks(), "");
}

TEST_F(StepsTest, AFailureInTheMiddleEndsTheRun) {
  for (const bool inside : {true, false}) {
    owner = std::make_unique<SetUpOwner>(lab.shard());
    owner->when_started = [&](const std::string &name) {
      if (inside && name == "two") {
        owner->steps.completed(failure_of("no"));
      }
    };
    owner->steps.start(kTable);
    owner->steps.completed({});
    if (!inside) {
      owner->steps.completed(failure_of("no"));
    }
    ASSERT_EQ(owner->outcomes.size(), 1U);
    EXPECT_EQ(owner->outcomes[0].message, "no");
    EXPECT_EQ(owner->calls, (Calls{"one", "two"}));
    EXPECT_EQ(lab.leaks(), "");
  }
}

TEST_F(StepsTest, ADeadlineCancelsItsStepAndNamesIt) {
  owner->steps.start(kTable);
  world->sim.run_for(900);
  owner->steps.completed({}); // the next deadline counts from here
  world->sim.run_for(1'900);
  EXPECT_EQ(owner->calls, (Calls{"one", "two"}));
  world->sim.run_for(200);
  EXPECT_EQ(owner->calls, (Calls{"one", "two", "cancel two"}));
  EXPECT_TRUE(owner->outcomes.empty()); // the step has to say that it is over
  owner->steps.completed({});           // too late: its real outcome counts no more
  ASSERT_EQ(owner->outcomes.size(), 1U);
  EXPECT_EQ(owner->outcomes[0].code, Code::kTimeout);
  EXPECT_EQ(owner->outcomes[0].message, "two took longer than 2 s");
  EXPECT_EQ(owner->outcomes[0].source, Source::kRelay);
  world->sim.run_for(10'000);
  EXPECT_EQ(owner->outcomes.size(), 1U);
}

TEST_F(StepsTest, ACancelIsToldToTheStepOnceAndItsReasonStays) {
  owner->steps.start(kTable);
  owner->steps.cancel(failure_of("first"));
  owner->steps.cancel(failure_of("second"));
  world->sim.run_for(5'000); // the deadline has no more to say
  EXPECT_EQ(owner->calls, (Calls{"one", "cancel one"}));
  owner->steps.completed(failure_of("cancelled"));
  ASSERT_EQ(owner->outcomes.size(), 1U);
  EXPECT_EQ(owner->outcomes[0].message, "first");
  owner->steps.cancel(failure_of("third")); // nothing runs
  EXPECT_EQ(owner->calls, (Calls{"one", "cancel one"}));
  EXPECT_EQ(owner->outcomes.size(), 1U);
}

TEST_F(StepsTest, ACancelInsideAStart) {
  for (const bool completes_inside : {true, false}) {
    owner = std::make_unique<SetUpOwner>(lab.shard());
    owner->when_started = [&](const std::string &name) {
      if (name == "two") {
        owner->steps.cancel(failure_of("changed its mind"));
      }
    };
    owner->when_cancelled = [&] {
      if (completes_inside) {
        owner->steps.completed(failure_of("cancelled"));
      }
    };
    owner->steps.start(kTable);
    owner->steps.completed({});
    if (!completes_inside) {
      EXPECT_TRUE(owner->outcomes.empty());
      owner->steps.completed({});
    }
    ASSERT_EQ(owner->outcomes.size(), 1U);
    EXPECT_EQ(owner->outcomes[0].message, "changed its mind");
    EXPECT_EQ(owner->calls, (Calls{"one", "two", "cancel two"}));
    EXPECT_EQ(lab.leaks(), "");
  }
}

TEST_F(StepsTest, TheOwnerMayDieInsideDone) {
  for (const bool by_deadline : {true, false}) {
    owner = std::make_unique<SetUpOwner>(lab.shard());
    owner->when_done = [&] { owner.reset(); };
    owner->when_cancelled = [&] { owner->steps.completed(failure_of("cancelled")); };
    owner->steps.start(kTable);
    if (by_deadline) {
      ASSERT_TRUE(lab.run_until([&] { return owner == nullptr; }));
    } else {
      owner->steps.cancel(failure_of("over"));
    }
    EXPECT_EQ(owner, nullptr);
    EXPECT_EQ(lab.leaks(), "");
  }
}

TEST_F(StepsTest, ItRunsAgainFromInsideDone) {
  owner->when_started = [&](const std::string &) { owner->steps.completed({}); };
  owner->when_done = [&] {
    if (owner->outcomes.size() < 3) {
      owner->steps.start(kTable);
    }
  };
  owner->steps.start(kTable);
  EXPECT_EQ(owner->outcomes.size(), 3U);
  EXPECT_EQ(owner->calls.size(), 9U);
}

} // namespace
} // namespace culvert::test
