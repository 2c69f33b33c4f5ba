// Calls that complete now or later: exactly once, never inside the call, whatever the plugin does.
#include "plugin_world.hpp"

namespace culvert::test {
namespace {

/// The unit is this record: what the plugin shall do, and the records it has.
struct Script {
  std::uint32_t progress = CULVERT_DONE;
  bool completes_inside = false;
  std::uint32_t address_count = 1;
  std::uint32_t family = CULVERT_IPV4;
  std::uint32_t code = CULVERT_OK;
  culvert_resolve *pending = nullptr;
};

void answer(const Script &script, culvert_resolve *record) {
  record->status.code = script.code;
  record->status.source = CULVERT_SOURCE_LOCAL;
  record->status.retry = CULVERT_RETRY_BACKOFF;
  record->address_count = script.address_count;
  record->lifetime_ms = 5'000;
  record->addresses[0].family = script.family;
  record->addresses[0].bytes[0] = 10;
  record->addresses[0].bytes[3] = 7;
}

std::uint32_t resolve(void *instance, culvert_resolve *record) {
  Script &script = *static_cast<Script *>(instance);
  if (script.progress == CULVERT_DONE) {
    answer(script, record);
  } else {
    script.pending = record;
  }
  if (script.completes_inside) {
    record->complete(record);
  }
  return script.progress;
}

class OperationTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(world_.plugin_set.register_static(entry_.entry).ok());
    auto unit = world_.plugin_set.make_unit("test_plugin", PluginKind::kResolver, {});
    ASSERT_TRUE(unit.ok()) << unit.status().message;
    unit_ = std::move(unit.value());
    auto resolver = unit_->resolver(world_.shard);
    ASSERT_TRUE(resolver.ok()) << resolver.status().message;
    resolver_ = std::move(resolver.value());
  }

  /// The script is the unit, and without attach() the instance.
  static inline Script script_; // create() has no other way to the test
  static void *create(const culvert_host *, culvert_status *) {
    script_ = {};
    return &script_;
  }

  PluginWorld world_;
  culvert_resolver functions_{sizeof functions_, 0, {&create, nullptr, nullptr, nullptr}, &resolve};
  TestEntry entry_{CULVERT_KIND_RESOLVER, &functions_};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<Resolver> resolver_;
  Listener<ResolveName> owner_;
};

TEST_F(OperationTest, DoneCompletesFromTheLoop) {
  resolver_->resolve(owner_.operation, "db.internal");
  EXPECT_EQ(owner_.times, 0);
  EXPECT_TRUE(owner_.operation.in_flight());
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_EQ(owner_.times, 1);
  ASSERT_TRUE(owner_.operation.result.ok());
  const Addresses &found = owner_.operation.result.value();
  ASSERT_EQ(found.addresses.size(), 1U);
  EXPECT_EQ(found.addresses[0].host(), "10.0.0.7");
  EXPECT_EQ(found.lifetime_ms, 5'000U);
}

TEST_F(OperationTest, PendingCompletesLaterAndFromTheLoop) {
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "db.internal");
  world_.sim.run_for(1'000);
  EXPECT_EQ(owner_.times, 0);
  EXPECT_EQ(std::string(script_.pending->name.data, script_.pending->name.size), "db.internal");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  EXPECT_EQ(owner_.times, 0);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_EQ(owner_.times, 1);
  EXPECT_TRUE(owner_.operation.result.ok());
}

TEST_F(OperationTest, SeveralArePendingAtOnceAndEachKeepsItsName) {
  script_.progress = CULVERT_PENDING;
  Listener<ResolveName> other;
  resolver_->resolve(owner_.operation, "one");
  culvert_resolve *first = script_.pending;
  resolver_->resolve(other.operation, "two");
  EXPECT_EQ(std::string(first->name.data, first->name.size), "one");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  ASSERT_TRUE(world_.run(other.operation));
  EXPECT_EQ(other.times, 1);
  EXPECT_EQ(owner_.times, 0);
  answer(script_, first);
  first->complete(first);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_EQ(owner_.times, 1);
}

TEST_F(OperationTest, CompletingInsideTheCallIsAFaultAndCompletesOnce) {
  for (const std::uint32_t progress : {CULVERT_DONE, CULVERT_PENDING}) {
    Listener<ResolveName> owner;
    script_.progress = progress;
    script_.completes_inside = true;
    resolver_->resolve(owner.operation, "x");
    EXPECT_EQ(owner.times, 0);
    ASSERT_TRUE(world_.run(owner.operation));
    EXPECT_EQ(owner.times, 1);
    ASSERT_FALSE(owner.operation.result.ok());
    EXPECT_EQ(owner.operation.result.status().source, Source::kPlugin);
    EXPECT_EQ(owner.operation.result.status().message,
              "plugin test_plugin broke the rules of its ABI: resolve: it completed inside the "
              "call");
  }
}

TEST_F(OperationTest, CompletingTwiceIsRefusedAndLogged) {
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  script_.pending->complete(script_.pending);
  ASSERT_TRUE(world_.run(owner_.operation));
  script_.pending->complete(script_.pending);
  world_.sim.run_for(1'000);
  EXPECT_EQ(owner_.times, 1);
  EXPECT_TRUE(world_.logged("resolve: it completed twice"));
}

TEST_F(OperationTest, CompletingTwiceInDetachIsLoggedToo) {
  functions_.life.attach = [](void *unit, const culvert_host *, std::uint32_t, culvert_status *) {
    return unit;
  };
  functions_.life.detach = [](void *) { script_.pending->complete(script_.pending); };
  resolver_.reset();
  unit_.reset();
  SetUp();
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  ASSERT_TRUE(world_.run(owner_.operation));
  resolver_.reset();
  EXPECT_TRUE(world_.logged("resolve: it completed twice"));
}

TEST_F(OperationTest, ResultsOutsideTheBoundsAreFaults) {
  struct Case {
    const char *what;
    std::uint32_t progress, count, family;
    const char *message;
  };
  const Case cases[] = {
      {"no address", CULVERT_DONE, 0, CULVERT_IPV4, "success with 0 addresses"},
      {"too many", CULVERT_DONE, 17, CULVERT_IPV4, "success with 17 addresses"},
      {"garbage family", CULVERT_DONE, 1, 9, "an address of family 9"},
      {"the next progress", 2, 1, CULVERT_IPV4, "it returned 2"},
      {"garbage progress", 7, 1, CULVERT_IPV4, "it returned 7"},
  };
  for (const Case &one : cases) {
    SCOPED_TRACE(one.what);
    script_.progress = one.progress;
    script_.address_count = one.count;
    script_.family = one.family;
    resolver_->resolve(owner_.operation, "x");
    ASSERT_TRUE(world_.run(owner_.operation));
    ASSERT_FALSE(owner_.operation.result.ok());
    EXPECT_EQ(owner_.operation.result.status().message,
              std::string("plugin test_plugin broke the rules of its ABI: resolve: ") +
                  one.message);
  }
}

TEST_F(OperationTest, AFailureOfThePluginKeepsItsSourceAndRetry) {
  script_.code = CULVERT_NO_NAME;
  resolver_->resolve(owner_.operation, "x");
  ASSERT_TRUE(world_.run(owner_.operation));
  const Status &status = owner_.operation.result.status();
  EXPECT_EQ(status.code, Code::kNoName);
  EXPECT_EQ(status.source, Source::kLocal);
  EXPECT_EQ(status.retry, Retry::kBackoff);
  EXPECT_EQ(status.message, "plugin test_plugin: resolve: no-name");
}

// --- abandoned -----------------------------------------------------------------------------------

TEST_F(OperationTest, AbandonedItCompletesAtOnceAndNamesThePlugin) {
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  owner_.operation.abandon();
  owner_.operation.abandon();
  EXPECT_EQ(owner_.times, 0);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_EQ(owner_.times, 1);
  const Status &status = owner_.operation.result.status();
  EXPECT_EQ(status.source, Source::kPlugin);
  EXPECT_EQ(status.message, "plugin test_plugin has not completed resolve");
  // The plugin completes it late: nobody hears of it, and the record is used again.
  culvert_resolve *const late = script_.pending;
  answer(script_, late);
  late->complete(late);
  world_.sim.run_for(10);
  EXPECT_EQ(owner_.times, 1);
  resolver_->resolve(owner_.operation, "y");
  EXPECT_EQ(script_.pending, late);
  answer(script_, late);
  late->complete(late);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_TRUE(owner_.operation.result.ok());
}

TEST_F(OperationTest, AbandonedWithItsAnswerOnTheWayItHasTheAnswer) {
  resolver_->resolve(owner_.operation, "x");
  owner_.operation.abandon();
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_TRUE(owner_.operation.result.ok());
}

TEST_F(OperationTest, APluginThatOwesTooManyAnswersIsNotAskedAgain) {
  script_.progress = CULVERT_PENDING;
  for (std::size_t i = 0; i < kAbandonedRecords; ++i) {
    resolver_->resolve(owner_.operation, "x");
    owner_.operation.abandon();
    ASSERT_TRUE(world_.run(owner_.operation));
  }
  culvert_resolve *const last = std::exchange(script_.pending, nullptr);
  resolver_->resolve(owner_.operation, "x");
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_EQ(script_.pending, nullptr);
  EXPECT_EQ(owner_.operation.result.status().message,
            "plugin test_plugin has not completed 256 calls of resolve");
  answer(script_, last);
  last->complete(last);
  resolver_->resolve(owner_.operation, "x");
  EXPECT_EQ(script_.pending, last);
  answer(script_, last);
  last->complete(last);
  ASSERT_TRUE(world_.run(owner_.operation));
  EXPECT_TRUE(owner_.operation.result.ok());
}

/// detach() comes when no record is pending; so it does not come, and what the plugin may still
/// write to stays.
TEST_F(OperationTest, ARecordThatIsNeverCompletedOutlivesItsInstance) {
  static int detached = 0;
  static int destroyed = 0;
  detached = destroyed = 0;
  functions_.life.attach = [](void *unit, const culvert_host *, std::uint32_t, culvert_status *) {
    return unit;
  };
  functions_.life.detach = [](void *) { ++detached; };
  functions_.life.destroy = [](void *) { ++destroyed; };
  resolver_.reset();
  unit_.reset();
  detached = destroyed = 0;
  SetUp();
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  owner_.operation.abandon();
  ASSERT_TRUE(world_.run(owner_.operation));
  culvert_resolve *const late = script_.pending;
  resolver_.reset();
  EXPECT_TRUE(world_.logged("a plugin has not completed its calls"));
  answer(script_, late);
  late->complete(late);
  EXPECT_EQ(std::string(late->name.data, late->name.size), "x");
  unit_.reset();
  EXPECT_EQ(detached, 0);
  EXPECT_EQ(destroyed, 0);
}

TEST_F(OperationTest, AnInstanceMayNotDieWithARecordPending) {
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  EXPECT_DEATH(resolver_.reset(), "free_.size\\(\\) == entries_.size\\(\\)");
  answer(script_, script_.pending);
  script_.pending->complete(script_.pending);
  ASSERT_TRUE(world_.run(owner_.operation));
}

TEST_F(OperationTest, AUnitMayNotDieBeforeItsInstances) {
  EXPECT_EQ(unit_->instances(), 1U);
  EXPECT_DEATH(unit_.reset(), "instances\\(\\) == 0");
}

} // namespace
} // namespace culvert::test
