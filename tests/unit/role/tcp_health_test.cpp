// A sender behind a load balancer, whose probes open no tunnel.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

struct HealthWorld : RoleWorld {
  HealthWorld() {
    sender_options.tcp_health = true;
    start_sender();
  }
};

TEST(TcpHealth, AConnectionThatEndsWithoutAByteOpensNoTunnel) {
  for (const bool resets : {true, false}) {
    HealthWorld world;
    RawPeer &probe = world.app("", !resets);
    if (resets) {
      world.world.run_for(20);
      probe.drop();
    }
    ASSERT_TRUE(world.run_until([&] { return world.log.count("it was a probe") == 1; }))
        << world.log.text();
    world.world.run_for(2'000);
    EXPECT_TRUE(world.relay.sessions.empty());
    EXPECT_EQ(world.counters.setups_failed, 0U);
    for (const TimedLine &line : world.log.lines) {
      EXPECT_GE(line.level, LogLevel::kDebug) << line.text;
    }
  }
}

TEST(TcpHealth, TheFirstByteOpensATunnelAtOnceAndIsNotLost) {
  HealthWorld world;
  world.app("question", true); // its end comes with its bytes
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; },
                              ClientLimits{}.health_wait_ms / 2));
  Session &relayed = world.relay.sessions.at(0);
  ASSERT_TRUE(world.run_until([&] { return relayed.heard_end; }));
  EXPECT_EQ(relayed.heard, "question");
}

TEST(TcpHealth, AnAppThatWaitsForTheServiceIsDelayedByTheLimitAndNoMore) {
  RoleWorld world;
  world.sender_options.tcp_health = true;
  world.limits.health_wait_ms = 90;
  world.start_sender();
  RawPeer &app = world.app();
  world.world.run_for(80);
  EXPECT_TRUE(world.relay.sessions.empty());
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }, 100));
  world.relay.sessions.at(0).raw("220 hello");
  ASSERT_TRUE(world.run_until([&] { return app.heard == "220 hello"; }));
}

TEST(TcpHealth, WithoutItEveryConnectionOpensATunnel) {
  RoleWorld world;
  world.start_sender();
  world.app("", true);
  EXPECT_TRUE(world.run_until([&] { return world.relay.sessions.size() == 1; }));
}

TEST(TcpHealth, EndsWithNothingLeftAtAnyMoment) {
  for (std::uint64_t ms = 0; ms < 300; ms += 5) {
    HealthWorld world;
    world.app(ms % 2 == 0 ? "bytes" : "");
    world.world.run_for(ms);
    world.sender->drop();
    EXPECT_TRUE(world.run_until([&] { return world.stopped; })) << ms;
  }
}

} // namespace
} // namespace culvert::test
