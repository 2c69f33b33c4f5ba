// Calls that complete now or later: exactly once, never inside the call, whatever the plugin does.
#include "operation_test.hpp"

#include "culvert/helpers.h"
#include "culvert/service.h"

namespace culvert::test {
namespace {

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

/// The services of one host, as a plugin that is late uses them.
struct LateUse {
  explicit LateUse(const culvert_host *host)
      : log(find<culvert_log>(host, CULVERT_SERVICE_LOG)),
        clock(find<culvert_clock>(host, CULVERT_SERVICE_CLOCK)),
        random(find<culvert_random>(host, CULVERT_SERVICE_RANDOM)),
        config(find<culvert_config>(host, CULVERT_SERVICE_CONFIG)),
        secret(find<culvert_secret>(host, CULVERT_SERVICE_SECRET)) {
    log->write(host, CULVERT_LOG_ERROR, culvert_view_text("it is late"));
    log_enabled = log->enabled(host, CULVERT_LOG_ERROR) != 0;
    now_ns = clock->monotonic_ns(host);
    wall_s = clock->wall_s(host);
    random->fill(host, bytes.data(), bytes.size());
    setting = config->integer(host, "number");
    std::uint8_t digest[32];
    signs = secret->hmac_sha256(host, 1, culvert_view_text("data"), digest) != 0;
  }
  template <typename Service> static const Service *find(const culvert_host *host, const char *id) {
    return static_cast<const Service *>(host->service(host, id));
  }

  const culvert_log *log;
  const culvert_clock *clock;
  const culvert_random *random;
  const culvert_config *config;
  const culvert_secret *secret;
  bool log_enabled = true;
  std::uint64_t now_ns = 0;
  std::int64_t wall_s = 0;
  std::array<std::byte, 32> bytes{};
  std::int64_t setting = 0;
  bool signs = true;
};

/// A plugin with a record that is never completed is not detached, so it may use its hosts after
/// the shard, the log and the unit are gone.
TEST_F(OperationTest, APluginThatIsLateReachesNothingOfAnEngineThatHasEnded) {
  static const culvert_host *hosts[2];
  static const culvert_config_key key{"number", "of a test", "7", CULVERT_CONFIG_INTEGER, 0};
  functions_.life.create = [](const culvert_host *host, culvert_status *) -> void * {
    hosts[0] = host;
    script_ = {};
    return &script_;
  };
  functions_.life.attach = [](void *unit, const culvert_host *host, std::uint32_t,
                              culvert_status *) {
    hosts[1] = host;
    return unit;
  };
  entry_.entry.config_keys = &key;
  entry_.entry.config_key_count = 1;
  resolver_.reset();
  unit_.reset();
  SetUp();
  ASSERT_EQ(world_.secrets.add(Secret(std::string_view("key"))), 1U);
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  owner_.operation.abandon();
  ASSERT_TRUE(world_.run(owner_.operation));
  resolver_.reset();
  for (const bool of_unit : {false, true}) {
    if (of_unit) {
      unit_.reset();
    }
    const std::size_t lines = world_.log.lines().size();
    const LateUse late(hosts[of_unit ? 0 : 1]);
    EXPECT_EQ(world_.log.lines().size(), lines) << "it wrote to the log of the engine";
    EXPECT_FALSE(late.log_enabled);
    EXPECT_NE(late.now_ns, world_.io.now_ns()) << "the clock of the engine";
    EXPECT_GE(late.now_ns, 1U);
    EXPECT_GT(late.wall_s, 0);
    EXPECT_NE(late.bytes, decltype(late.bytes){});
    EXPECT_EQ(late.setting, 7);
    EXPECT_FALSE(late.signs) << "a secret of the engine";
  }
}

TEST_F(OperationTest, AnInstanceMayNotDieWithARecordPending) {
  script_.progress = CULVERT_PENDING;
  resolver_->resolve(owner_.operation, "x");
  EXPECT_DEATH(resolver_.reset(), "resting_.size\\(\\) == entries_.size\\(\\)");
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
