// The engine as an embedder uses it: real plugins, real sockets.
#include "unit/engine/embedder.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <poll.h>
#include <sys/resource.h>

namespace culvert::test {
namespace {

using State = RoleStats::State;

std::string payload() {
  std::string bytes;
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    bytes += std::to_string(i) + ",";
  }
  return bytes;
}

std::unique_ptr<Engine> make(Log &log, const EngineConfig &config = engine_config()) {
  Result<std::unique_ptr<Engine>> engine = Engine::create(config, log);
  EXPECT_TRUE(engine.ok()) << engine.status().message;
  return std::move(engine.value());
}

/// Relay, listener and sender in one engine, with the listener online.
struct World {
  explicit World(const EngineConfig &config = engine_config()) : engine(make(log, config)) {
    relay = engine->start_relay(setting.relay()).value();
    const std::uint16_t port = engine->bound(relay).port;
    listener = engine->start_listener(setting.listener(port, echo.port())).value();
    sender = engine->start_sender(setting.sender(port)).value();
    EXPECT_TRUE(engine->wait_for(listener, State::kOnline, kPatienceMs))
        << engine->stats(listener).last_failure;
  }
  [[nodiscard]] std::uint16_t app_port() const { return engine->bound(sender).port; }

  Setting setting;
  SilentLog log;
  EchoService echo;
  std::unique_ptr<Engine> engine;
  RoleId relay = 0, listener = 0, sender = 0;
};

void exchange(std::uint16_t port) {
  const std::string sent = payload();
  App app(port);
  std::thread writer([&] {
    EXPECT_TRUE(app.send(sent));
    app.finish();
  });
  EXPECT_TRUE(app.receive(sent.size()) == sent); // too long to print
  EXPECT_EQ(app.how_it_ended(), 0);
  writer.join();
}

/// Until what a role counts is so, or patience ends.
void await(Engine &engine, RoleId role, const std::function<bool(const RoleStats &)> &so) {
  for (int i = 0; i < 6'000 && !so(engine.stats(role)); ++i) {
    engine.wait_stopped(10);
  }
}

/// The next warning of a shard keeps its thread until the test lets it go.
class HoldingLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= LogLevel::kWarn; }
  void write(LogLevel level, std::string_view, std::initializer_list<LogField>) override {
    if (enabled(level) && std::this_thread::get_id() != control_ && holds_next_.exchange(false)) {
      held_.set_value();
      gave_up_ = let_go_.get_future().wait_for(std::chrono::milliseconds(kPatienceMs)) !=
                 std::future_status::ready;
    }
  }
  void hold_next() { holds_next_ = true; }
  /// Waits for it.
  bool is_held() {
    return held_.get_future().wait_for(std::chrono::milliseconds(kPatienceMs)) ==
           std::future_status::ready;
  }
  void let_go() { let_go_.set_value(); }
  [[nodiscard]] bool gave_up() const { return gave_up_; }

private:
  const std::thread::id control_ = std::this_thread::get_id();
  std::atomic<bool> holds_next_ = false;
  std::atomic<bool> gave_up_ = false;
  std::promise<void> held_;
  std::promise<void> let_go_;
};

TEST(Engine, AShardThatIsBlockedDoesNotBlockItsEnd) {
  const Setting setting;
  HoldingLog log;
  const std::unique_ptr<Engine> engine = make(log, engine_config(false, 2));
  const RoleId sender = engine->start_sender(setting.sender(1)).value();
  log.hold_next(); // the app is reset: nobody is at that port
  const App app(engine->bound(sender).port);
  ASSERT_TRUE(log.is_held());
  EXPECT_TRUE(engine->stop(sender).ok());
  engine->drain();
  engine->drop();
  EXPECT_FALSE(engine->stopped());
  log.let_go();
  EXPECT_TRUE(engine->wait_stopped(kPatienceMs));
  EXPECT_FALSE(log.gave_up()) << "one of them waited for the shard";
}

TEST(Engine, CarriesBytesAndCountsThem) {
  World world(engine_config(false, 2));
  exchange(world.app_port());
  for (const RoleId role : {world.relay, world.listener, world.sender}) {
    await(*world.engine, role, [](const RoleStats &stats) {
      return stats.tunnels_ended > 0 && stats.bytes_out > 0; // counted one after the other
    });
    const RoleStats stats = world.engine->stats(role);
    EXPECT_EQ(stats.tunnels_ended, 1U);
    EXPECT_EQ(stats.tunnels_open, 0U);
    EXPECT_EQ(stats.tunnels_aborted, 0U);
    EXPECT_EQ(stats.bytes_in, payload().size());
    EXPECT_EQ(stats.bytes_out, payload().size());
    EXPECT_EQ(stats.state, State::kOnline);
  }
  EXPECT_EQ(world.engine->stats(world.relay).listeners, 1U); // however many shards it has
  world.engine->drain();
  EXPECT_TRUE(world.engine->wait_stopped(kPatienceMs));
  for (const unsigned shard : {0U, 1U}) {
    EXPECT_EQ(world.engine->shard_stats(shard).operations, 0U);
    EXPECT_EQ(world.engine->shard_stats(shard).held_bytes, 0U);
  }
  EXPECT_EQ(world.engine->stats(world.relay).listeners, 0U);
}

TEST(Engine, TwoLiveInOneProcess) {
  Setting setting;
  SilentLog log;
  EchoService echo;
  const std::unique_ptr<Engine> one = make(log);
  const std::unique_ptr<Engine> other = make(log);
  const std::uint16_t port = one->bound(one->start_relay(setting.relay()).value()).port;
  const RoleId listener = one->start_listener(setting.listener(port, echo.port())).value();
  const RoleId sender = other->start_sender(setting.sender(port)).value();
  ASSERT_TRUE(one->wait_for(listener, State::kOnline, kPatienceMs));
  exchange(other->bound(sender).port);
}

class OnEachBackend : public testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Engine, OnEachBackend, testing::ValuesIn(kBackends), [](const auto &info) {
  return info.param == Backend::kUring ? "uring" : "epoll";
});

/// The line about the engine.
class EngineLine final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= LogLevel::kInfo; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (enabled(level) && message == "the engine runs") {
      line += message;
      for (const LogField &field : fields) {
        line.append(" ").append(field.name).append("=").append(field.value);
      }
    }
  }
  std::string line;
};

TEST(Engine, SaysWhichBackendItRunsOn) {
  for (const auto &[backend, said] :
       {std::pair{Backend::kAuto, "uring"}, std::pair{Backend::kUring, "uring"},
        std::pair{Backend::kEpoll, "epoll"}}) {
    const Setting setting;
    EngineLine log;
    const std::unique_ptr<Engine> engine = make(log, engine_config(false, 2, backend));
    EXPECT_TRUE(engine->start_relay(setting.relay()).ok());
    EXPECT_TRUE(engine->start_relay(setting.relay()).ok());
    EXPECT_EQ(log.line, std::string("the engine runs backend=") + said + " shards=2");
  }
}

TEST_P(OnEachBackend, IsDrivenByAHostsOwnPollLoop) {
  World world(engine_config(true, 1, GetParam()));
  Engine &engine = *world.engine;
  std::atomic<bool> over = false;
  std::thread app([&] {
    exchange(world.app_port());
    over = true;
  });
  while (!over) {
    while (engine.run_ready()) {
    }
    pollfd descriptor{engine.descriptor(), POLLIN, 0};
    const std::uint64_t wait_ms = std::min<std::uint64_t>(engine.nearest_deadline_ms(), 50);
    ASSERT_GE(::poll(&descriptor, 1, static_cast<int>(wait_ms)), 0);
  }
  app.join();
  engine.drain();
  EXPECT_TRUE(engine.wait_stopped(kPatienceMs));
  EXPECT_EQ(engine.shard_stats(0).operations, 0U);
}

TEST_P(OnEachBackend, AHostThatSleepsBehindACallIsWokenForWhatItStarted) {
  Setting setting;
  SilentLog log;
  const std::unique_ptr<Engine> engine = make(log, engine_config(true, 1, GetParam()));
  const auto would_sleep = [&] {
    pollfd descriptor{engine->descriptor(), POLLIN, 0};
    return engine->nearest_deadline_ms() > 0 && ::poll(&descriptor, 1, 0) == 0;
  };
  const auto run = [&] {
    while (engine->run_ready()) {
    }
    EXPECT_TRUE(would_sleep());
  };
  run();
  const RoleId relay = engine->start_relay(setting.relay()).value();
  EXPECT_FALSE(would_sleep());
  run();
  ASSERT_TRUE(engine->start_sender(setting.sender(engine->bound(relay).port)).ok());
  EXPECT_FALSE(would_sleep());
  run();
  engine->drain();
  EXPECT_FALSE(would_sleep());
  EXPECT_TRUE(engine->wait_stopped(kPatienceMs));
}

TEST(Engine, BytesCountWhileTheirTunnelIsOpen) {
  World world;
  App app(world.app_port());
  ASSERT_TRUE(app.send("four"));
  EXPECT_EQ(app.receive(4), "four");
  for (const RoleId role : {world.relay, world.listener, world.sender}) {
    // The app may have its answer before the turn that brought it is counted.
    await(*world.engine, role, [](const RoleStats &stats) { return stats.bytes_out == 4; });
    const RoleStats stats = world.engine->stats(role);
    EXPECT_EQ(stats.tunnels_open, 1U);
    EXPECT_EQ(stats.bytes_in, 4U);
    EXPECT_EQ(stats.bytes_out, 4U);
  }
}

TEST(Engine, DestroyedWithOpenTunnelsItResetsTheAppsAndLeavesNothing) {
  for (const bool driven_by_host : {false, true}) {
    const std::size_t before = open_descriptors();
    {
      auto world = std::make_unique<World>(engine_config(driven_by_host));
      App app(world->app_port());
      ASSERT_TRUE(app.send("x"));
      ASSERT_TRUE(world->engine->wait_for(world->listener, State::kOnline, kPatienceMs));
      await(*world->engine, world->sender,
            [](const RoleStats &stats) { return stats.tunnels_open > 0; });
      ASSERT_EQ(world->engine->stats(world->sender).tunnels_open, 1U);
      world->engine.reset();
      EXPECT_EQ(app.how_it_ended(), ECONNRESET);
    }
    EXPECT_EQ(open_descriptors(), before);
  }
}

TEST(Engine, DrainWaitsForTunnelsUpToTheGraceAndDropDoesNot) {
  EngineConfig config = engine_config();
  config.limits.drain_grace_ms = 300;
  for (const bool drop : {false, true}) {
    World world(config);
    App app(world.app_port());
    ASSERT_TRUE(app.send("x"));
    ASSERT_EQ(app.receive(1), "x")
        << strerror(errno) << "; " << world.engine->stats(world.sender).last_failure;
    EXPECT_FALSE(world.engine->stopped());
    EXPECT_FALSE(world.engine->wait_stopped(0));
    drop ? world.engine->drop() : world.engine->drain();
    EXPECT_FALSE(world.engine->wait_for(world.sender, State::kOnline, 0));
    EXPECT_TRUE(world.engine->wait_stopped(kPatienceMs));
    EXPECT_EQ(world.engine->stats(world.sender).state, State::kStopped);
    EXPECT_EQ(app.how_it_ended(), ECONNRESET);
    world.engine->drain(); // late calls are harmless
    world.engine->drop();
  }
}

/// Everything that cannot work is said before anything starts, and leaves nothing behind.
TEST(Engine, WhatCannotWorkStartsNothing) {
  const Setting setting;
  SilentLog log;
  const std::unique_ptr<Engine> engine = make(log);
  const std::uint16_t taken = engine->bound(engine->start_relay(setting.relay()).value()).port;
  struct Row {
    const char *part; // of the message
    std::function<Status(Engine &)> start;
    Source source = Source::kConfig;
  };
  const auto relay = [&](const std::function<void(RelayConfig &)> &change) {
    return [&setting, change](Engine &started) {
      RelayConfig config = setting.relay();
      change(config);
      return started.start_relay(config).status();
    };
  };
  const auto listener = [&](const std::function<void(ListenerConfig &)> &change) {
    return [&setting, change, taken](Engine &started) {
      ListenerConfig config = setting.listener(taken, 1);
      change(config);
      return started.start_listener(config).status();
    };
  };
  const auto sender = [&](const std::function<void(SenderConfig &)> &change) {
    return [&setting, change, taken](Engine &started) {
      SenderConfig config = setting.sender(taken);
      change(config);
      return started.start_sender(config).status();
    };
  };
  const Row rows[] = {
      {"no name", relay([](RelayConfig &c) { c.names.clear(); })},
      {"relay name 'a:1'", relay([](RelayConfig &c) { c.names = {"a:1"}; })},
      {"is given twice", relay([](RelayConfig &c) {
         c.names = {"a", "A"};
       })},
      {"no entity", relay([](RelayConfig &c) { c.entities.clear(); })},
      {"no protocol", relay([](RelayConfig &c) { c.protocols.clear(); })},
      {"'nothing'", relay([](RelayConfig &c) { c.auth = "'nothing'"; })},
      {"Address already in use", relay([&](RelayConfig &c) { c.bind.port = taken; }),
       Source::kLocal},
      {"is a name", relay([](RelayConfig &c) { c.bind.host = "localhost"; })},
      {"relay.pem", relay([](RelayConfig &c) { c.tls_certificate_file = "/nowhere/relay.pem"; }),
       Source::kLocal},
      {"port 0", listener([](ListenerConfig &c) { c.target.port = 0; })},
      {"rendezvous host", listener([](ListenerConfig &c) { c.rendezvous_hosts = {"*"}; })},
      {"/nowhere/ca.pem", listener([](ListenerConfig &c) { c.ca_file = "/nowhere/ca.pem"; }),
       Source::kLocal},
      {"no plugin 'nowhere'", listener([](ListenerConfig &c) { c.transport = "nowhere"; }),
       Source::kLocal},
      {"wanted the kind", sender([](SenderConfig &c) { c.resolver = "auth_sas"; })},
      {"the resolve entry a", sender([](SenderConfig &c) { c.resolve = {"a"}; })},
      {"Address already in use", sender([&](SenderConfig &c) { c.bind.port = taken; }),
       Source::kLocal},
  };
  for (const Row &row : rows) {
    const std::size_t before = open_descriptors();
    const Status status = row.start(*engine);
    EXPECT_FALSE(status.ok()) << row.part;
    EXPECT_EQ(status.source, row.source) << row.part;
    EXPECT_NE(status.message.find(row.part), std::string::npos) << status.message;
    EXPECT_EQ(open_descriptors(), before) << row.part;
    EXPECT_EQ(engine->shard_stats(0).operations, 1U) << "the first relay's accept; " << row.part;
  }
}

TEST(Engine, WithoutShardsOrWithTooManyForAHostThereIsNone) {
  SilentLog log;
  EXPECT_FALSE(Engine::create(engine_config(false, 0), log).ok());
  EXPECT_FALSE(Engine::create(engine_config(true, 2), log).ok());
}

TEST_P(OnEachBackend, ThatGetsNoDescriptorsSaysSoAndLeavesNothing) {
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer's own check of a vptr needs a descriptor";
#endif
#endif
  SilentLog log;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  for (const bool driven_by_host : {false, true}) {
    for (const unsigned shards : {1U, 3U}) {
      if (driven_by_host && shards > 1) {
        continue;
      }
      const std::size_t before = open_descriptors();
      rlimit small = limit;
      small.rlim_cur = 3; // which are standard input, output and error
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
      const Result<std::unique_ptr<Engine>> engine =
          Engine::create(engine_config(driven_by_host, shards, GetParam()), log);
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
      EXPECT_FALSE(engine.ok());
      EXPECT_EQ(engine.ok() ? Code::kOk : engine.status().code, Code::kNoDescriptor);
      EXPECT_EQ(open_descriptors(), before);
    }
  }
}

} // namespace
} // namespace culvert::test
