// Each limit of a listener or sender that is a time bounds what it names; those that count stand
// with the roles' own tests.
#include "unit/role/role_world.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

constexpr std::uint64_t kSetMs = 2'000; // unlike every default
constexpr std::uint64_t kSlackMs = 100; // the world's latency

struct Row {
  const char *what;
  std::uint64_t ClientLimits::*field;
  std::function<void(RoleWorld &)> prepare;
  const char *log; // once it has passed
};

void black_hole(RoleWorld &world, const char *host) {
  world.world.cut("10.0.0.2", host);
}

/// Starts the role and returns when its log has the line.
std::uint64_t waited_ms(RoleWorld &world, const Row &row) {
  world.limits.*row.field = kSetMs;
  row.prepare(world);
  const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
  EXPECT_TRUE(world.run_until([&] { return world.log.count(row.log) > 0; })) << row.what;
  return world.world.now_ns() / 1'000'000U - from_ms;
}

TEST(ClientLimit, EachTimeIsRespected) {
  const Row rows[] = {
      {"a relay that does not answer a SYN", &ClientLimits::relay_dial_ms,
       [](RoleWorld &world) {
         black_hole(world, "10.0.0.1");
         world.start_sender();
         world.app();
       },
       "no tunnel for a connection"},
      {"a relay that is silent about a sender", &ClientLimits::upgrade_ms,
       [](RoleWorld &world) {
         world.relay_script = [](Session &) {};
         world.start_sender();
         world.app();
       },
       "upgrade took longer than 2 s"},
      {"a relay that is silent about a listener", &ClientLimits::handshake_ms,
       [](RoleWorld &world) {
         world.relay_script = [](Session &) {};
         world.start_listener();
       },
       "upgrade took longer than 2 s"},
      {"a target that does not answer a SYN", &ClientLimits::target_dial_ms,
       [](RoleWorld &world) {
         black_hole(world, "10.0.0.3");
         world.relay_script = [](Session &session) {
           if (const auto head = session.message()) {
             session.say("ok");
             if (head->starts_with("listen")) {
               session.say("offer 10.0.0.1 4430 x");
             }
           }
         };
         world.start_listener();
       },
       "cannot connect to the target for a sender"},
  };
  for (const Row &row : rows) {
    RoleWorld world;
    const std::uint64_t took_ms = waited_ms(world, row);
    EXPECT_GE(took_ms, kSetMs) << row.what;
    EXPECT_LE(took_ms, kSetMs + kSlackMs) << row.what;
  }
}

TEST(ClientLimit, AListenerWaitsBetweenFloorAndCeiling) {
  RoleWorld world;
  world.limits.reconnect_floor_ms = 5'000;
  world.limits.reconnect_ceiling_ms = 5'000;
  world.relay.close();
  world.start_listener();
  world.world.run_for(50'500);
  EXPECT_EQ(world.log.count("cannot register at the relay"), 11U) << "at once, then every 5 s";
}

} // namespace
} // namespace culvert::test
