// Names and their addresses: each dial asks anew, and an address that is dead costs little.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

Address literal(const char *host) {
  return *Address::from_literal(host, 0);
}

/// Milliseconds until `done`, or no less than `within_ms`.
std::uint64_t took_ms(RoleWorld &world, const std::function<bool()> &done) {
  const std::uint64_t from_ns = world.world.now_ns();
  EXPECT_TRUE(world.run_until(done));
  return (world.world.now_ns() - from_ns) / 1'000'000U;
}

TEST(Addresses, ADeadFirstOneCostsAQuarterOfASecondAndNothingTheNextTime) {
  RoleWorld world;
  world.resolver.names["relay.example"] = {literal("10.0.0.9"), literal("10.0.0.1")};
  world.sender_options.entity.host = "relay.example";
  world.world.cut("10.0.0.9", "10.0.0.2");
  world.start_sender();
  world.app();
  const std::uint64_t first = took_ms(world, [&] { return world.counters.tunnels.open() == 1; });
  EXPECT_GE(first, ShardLimits{}.next_address_ms);
  EXPECT_LT(first, ShardLimits{}.next_address_ms + 50);
  world.app();
  EXPECT_LT(took_ms(world, [&] { return world.counters.tunnels.open() == 2; }), 50U);
  // It is remembered for a while, not for ever.
  world.world.run_for(ShardLimits{}.good_address_ms);
  world.app();
  EXPECT_GE(took_ms(world, [&] { return world.counters.tunnels.open() == 3; }),
            ShardLimits{}.next_address_ms);
}

TEST(Addresses, OneThatRefusesIsFollowedByTheNextAtOnce) {
  RoleWorld world;
  world.resolver.names["relay.example"] = {literal("10.0.0.3"), literal("10.0.0.1")};
  world.sender_options.entity.host = "relay.example"; // 10.0.0.3 has nobody at its port
  world.start_sender();
  world.app();
  EXPECT_LT(took_ms(world, [&] { return world.counters.tunnels.open() == 1; }), 50U);
}

TEST(Addresses, ThreeDeadOnesCostThreeQuartersOfASecond) {
  RoleWorld world;
  world.resolver.names["relay.example"] = {literal("10.0.0.7"), literal("10.0.0.8"),
                                           literal("10.0.0.9"), literal("10.0.0.1")};
  for (const char *dead : {"10.0.0.7", "10.0.0.8", "10.0.0.9"}) {
    world.world.cut(dead, "10.0.0.2");
  }
  world.sender_options.entity.host = "relay.example";
  world.start_sender();
  world.app();
  EXPECT_LT(took_ms(world, [&] { return world.counters.tunnels.open() == 1; }),
            3 * ShardLimits{}.next_address_ms + 50);
}

/// What is at an address where no relay should be.
struct Stranger {
  Stranger(RoleWorld &in, const char *host, std::function<void(Session &)> script)
      : world(in), service(in.world, in.log, host, 4430, std::move(script)) {}
  ~Stranger() {
    service.close();
    service.drop_all();
    EXPECT_TRUE(world.run_until([&] { return service.closed() && service.ended(); }));
  }
  Stranger(const Stranger &) = delete;
  Stranger &operator=(const Stranger &) = delete;
  [[nodiscard]] std::size_t met() const { return service.sessions.size(); }

  RoleWorld &world;
  Service service;
};

/// Three addresses of the relay's name; only the last one has the relay.
void name_three(RoleWorld &world) {
  world.resolver.names["relay.example"] = {literal("10.0.0.7"), literal("10.0.0.8"),
                                           literal("10.0.0.1")};
  world.sender_options.entity.host = world.listener_options.entity.host = "relay.example";
}

TEST(Addresses, OneThatConnectsAndSaysNothingIsPassedOverTheNextTime) {
  RoleWorld world;
  name_three(world);
  Stranger first(world, "10.0.0.7", [](Session &) {});
  Stranger second(world, "10.0.0.8", [](Session &) {});
  world.start_sender();
  for (const char *tried : {"10.0.0.7:4430", "10.0.0.8:4430"}) {
    RawPeer &app = world.app();
    ASSERT_TRUE(world.run_until([&] { return app.ended; }));
    EXPECT_EQ(world.log.count(std::string("why=") + tried + ": upgrade took longer than"), 1U)
        << world.log.text();
  }
  world.app();
  world.app();
  EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 2; }));
  EXPECT_EQ(first.met(), 1U);
  EXPECT_EQ(second.met(), 1U);
}

TEST(Addresses, OneThatIsNoRelayIsPassedOverByAListenerToo) {
  RoleWorld world;
  name_three(world);
  Stranger first(world, "10.0.0.7", [](Session &session) { session.drop(); });
  Stranger second(world, "10.0.0.8", [](Session &session) {
    if (session.message()) {
      session.finish();
    }
  });
  world.start_listener();
  EXPECT_TRUE(world.run_until([&] { return world.online(); }));
  EXPECT_EQ(first.met(), 1U);
  EXPECT_EQ(second.met(), 1U);
  EXPECT_EQ(world.log.count("10.0.0.7:4430: "), 1U) << world.log.text();
  EXPECT_EQ(world.log.count("10.0.0.8:4430: "), 1U);
}

TEST(Addresses, OneThatRefusesAsARelayIsTriedFirstAgain) {
  RoleWorld world;
  name_three(world);
  Stranger first(world, "10.0.0.7", [](Session &session) {
    if (session.message()) {
      session.say("no way");
    }
  });
  world.start_sender();
  for (std::size_t tries = 1; tries <= 2; ++tries) {
    RawPeer &app = world.app();
    ASSERT_TRUE(world.run_until([&] { return app.ended; }));
    EXPECT_EQ(first.met(), tries);
  }
}

TEST(Addresses, EachDeadOneHasTheWholeDeadline) {
  RoleWorld world;
  world.resolver.names["relay.example"] = {literal("10.0.0.8"), literal("10.0.0.9")};
  for (const char *dead : {"10.0.0.8", "10.0.0.9"}) {
    world.world.cut(dead, "10.0.0.2");
  }
  world.sender_options.entity.host = "relay.example";
  world.start_sender();
  RawPeer &app = world.app();
  const std::uint64_t both_ms = ClientLimits{}.relay_dial_ms + ShardLimits{}.next_address_ms;
  const std::uint64_t took = took_ms(world, [&] { return app.ended; });
  EXPECT_GE(took, both_ms);
  EXPECT_LT(took, both_ms + 100);
  EXPECT_EQ(world.log.count("why=connect to 10.0.0."), 1U) << world.log.text();
}

TEST(Addresses, ADeadFirstOneOfTheTargetCostsLittleToo) {
  RoleWorld world;
  world.resolver.names["db.example"] = {literal("10.0.0.9"), literal("10.0.0.3")};
  world.listener_options.target = {"db.example", 80, ""};
  world.world.cut("10.0.0.9", "10.0.0.2");
  world.relay_script = [](Session &session) {
    if (const auto head = session.message()) {
      session.say("ok");
      if (head->starts_with("listen")) {
        session.last = "listen";
        session.say("offer 10.0.0.1 4430 first");
      }
    }
  };
  world.start_listener();
  EXPECT_LT(took_ms(world, [&] { return world.counters.tunnels.open() == 1; }),
            ShardLimits{}.next_address_ms + 50);
  world.channel()->say("offer 10.0.0.1 4430 second");
  EXPECT_LT(took_ms(world, [&] { return world.counters.tunnels.open() == 2; }), 50U);
}

TEST(Addresses, EachDialOfTheRelayAsksForThemAnew) {
  RoleWorld world;
  world.resolver.names["relay.example"] = {literal("10.0.0.3")};
  world.sender_options.entity.host = world.listener_options.entity.host = "relay.example";
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.log.count("cannot register") == 1; }));
  world.resolver.names["relay.example"] = {literal("10.0.0.1")};
  EXPECT_TRUE(world.run_until([&] { return world.online(); }));
}

TEST(Addresses, EachDialOfTheTargetAsksForThemAnew) {
  RoleWorld world;
  world.resolver.names["db.example"] = {literal("10.0.0.1")}; // nobody at its port 80
  world.listener_options.target = {"db.example", 80, ""};
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.channel()->say("offer 10.0.0.1 4430 first");
  ASSERT_TRUE(world.run_until(
      [&] { return world.log.count("cannot connect to the target for a sender") == 1; }));
  world.resolver.names["db.example"] = {literal("10.0.0.3")};
  world.channel()->say("offer 10.0.0.1 4430 second");
  EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
}

} // namespace
} // namespace culvert::test
