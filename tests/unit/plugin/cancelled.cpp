// Calls that the engine no longer waits for, of a plugin that has a function to cancel them.
#include "operation_test.hpp"

#include "core/limits.hpp"

#include "culvert/helpers.h"

namespace culvert::test {
namespace {

class CancelTest : public OperationTest {
protected:
  static inline culvert_resolve *cancelled_ = nullptr;
  static inline bool completes_ = false; // which it must not
  static inline const char *reason_ = nullptr;

  void SetUp() override {
    cancelled_ = nullptr;
    completes_ = false;
    reason_ = nullptr;
    functions_.cancel = [](void *instance, culvert_resolve *record) {
      EXPECT_EQ(instance, &script_);
      cancelled_ = record;
      if (reason_ != nullptr) {
        culvert_fail(&record->status, CULVERT_TIMEOUT, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_BACKOFF,
                     "%s", reason_);
      }
      if (completes_) {
        record->complete(record);
      }
    };
    OperationTest::SetUp();
    script_.progress = CULVERT_PENDING;
  }

  Status abandoned() {
    resolver_->resolve(owner_.operation, "x");
    owner_.operation.abandon();
    EXPECT_TRUE(world_.run(owner_.operation));
    return owner_.operation.result.status();
  }
};

TEST_F(CancelTest, ThePluginIsTold) {
  EXPECT_EQ(abandoned().message, "plugin test_plugin has not completed resolve");
  EXPECT_EQ(cancelled_, script_.pending);
  EXPECT_EQ(owner_.times, 1);
}

TEST_F(CancelTest, ItMaySayWhy) {
  reason_ = "10.0.0.2 does not answer";
  const Status status = abandoned();
  EXPECT_EQ(status.message, "10.0.0.2 does not answer");
  EXPECT_EQ(status.code, Code::kTimeout);
  EXPECT_EQ(status.retry, Retry::kBackoff);
}

TEST_F(CancelTest, WhoCompletesACancelledRecordLaterCompletesNobodyElses) {
  abandoned();
  culvert_resolve *const late = cancelled_;
  resolver_->resolve(owner_.operation, "y");
  EXPECT_NE(script_.pending, late);
  answer(script_, late);
  late->complete(late);
  EXPECT_TRUE(world_.logged("resolve: it completed twice"));
  world_.sim.run_for(10);
  EXPECT_TRUE(owner_.operation.in_flight());
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_TRUE(owner_.operation.result.ok());
}

TEST_F(CancelTest, SuchAPluginOwesNoAnswers) {
  for (std::size_t i = 0; i <= kAbandonedRecords; ++i) {
    EXPECT_EQ(abandoned().message, "plugin test_plugin has not completed resolve");
  }
}

TEST_F(CancelTest, ItMayNotCompleteTheRecordAnyMore) {
  completes_ = true;
  EXPECT_EQ(abandoned().message, "plugin test_plugin has not completed resolve");
  EXPECT_EQ(owner_.times, 1);
  EXPECT_TRUE(world_.logged("resolve: it completed a record that was cancelled"));
}

TEST_F(CancelTest, AnAnswerOnItsWayIsNotCancelled) {
  resolver_->resolve(owner_.operation, "x");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  owner_.operation.abandon();
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_TRUE(owner_.operation.result.ok());
  EXPECT_EQ(cancelled_, nullptr);
}

TEST_F(CancelTest, TheInstanceIsDetachedAsUsual) {
  static int detached = 0;
  detached = 0;
  resolver_.reset();
  unit_.reset();
  world_.plugin_set.~PluginSet();
  new (&world_.plugin_set) PluginSet(world_.services, {});
  functions_.life.attach = [](void *unit, const culvert_host *, std::uint32_t, culvert_status *) {
    return unit;
  };
  functions_.life.detach = [](void *) { ++detached; };
  CancelTest::SetUp();
  abandoned();
  resolver_.reset();
  EXPECT_EQ(detached, 1);
}

} // namespace
} // namespace culvert::test
