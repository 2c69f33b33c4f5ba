// The promised times of a listener that lost its relay, on the simulated clock.
#include "unit/role/role_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

constexpr std::uint64_t kLatencyMs = 5; // of a handful of simulated round trips

std::vector<std::uint64_t> times_of(const TimedLog &log, std::string_view text) {
  std::vector<std::uint64_t> times;
  for (const TimedLine &line : log.lines) {
    if (line.text.find(text) != std::string::npos) {
      times.push_back(line.at_ms);
    }
  }
  return times;
}

/// The relay's process dies: its port refuses and its connections break.
void break_relay(RoleWorld &world) {
  world.relay.close();
  world.relay.drop_all();
}

TEST(Reconnect, ComesAtOnceThenAfterHalfToAllOfTheOutage) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RoleWorld world(seed);
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.world.run_for(2'000);
    break_relay(world);
    world.world.run_for(300'000);
    const auto lost = times_of(world.log, "lost the relay");
    const auto tries = times_of(world.log, "cannot register");
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(world.log.count("lost the relay; seeking it again entity=alpha relay=10.0.0.1 "
                              "source=relay"),
              1U);
    ASSERT_GT(tries.size(), 10U);
    EXPECT_LE(tries[0] - lost[0], kLatencyMs) << "the first try is at once";
    for (std::size_t i = 1; i < tries.size(); ++i) {
      const std::uint64_t outage_ms = tries[i - 1] - lost[0];
      const std::uint64_t gap_ms = tries[i] - tries[i - 1];
      const auto bound = [](std::uint64_t ms) {
        return std::clamp(ms, ClientLimits{}.reconnect_floor_ms,
                          ClientLimits{}.reconnect_ceiling_ms);
      };
      EXPECT_GE(gap_ms + 1, bound(outage_ms / 2)) << "seed " << seed << " try " << i;
      EXPECT_LE(gap_ms, bound(outage_ms) + kLatencyMs) << "seed " << seed << " try " << i;
    }
  }
}

TEST(Reconnect, AfterAnOutageOfUpToFiveSecondsWithinFive) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RoleWorld world(seed);
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.world.run_for(1'000);
    break_relay(world);
    world.world.run_for(1 + seed * 25);
    ASSERT_FALSE(world.online());
    world.relay.open();
    EXPECT_TRUE(world.run_until([&] { return world.online(); }, 5'000)) << "seed " << seed;
  }
}

TEST(Reconnect, AfterAnyOutageWithinThirtySeconds) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RoleWorld world(seed);
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    break_relay(world);
    world.world.run_for(seed * 10'000);
    world.relay.open();
    EXPECT_TRUE(world.run_until([&] { return world.online(); }, 30'000)) << "seed " << seed;
  }
}

TEST(Reconnect, ARelayThatIsSwallowedAndComesBackAnewIsFoundWithinThirtySeconds) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RoleWorld world(seed);
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.world.run_for(seed * 100);
    world.world.cut("10.0.0.1", "10.0.0.2");
    world.relay.drop_all(); // nobody hears of it
    world.world.run_for(seed * 3'000);
    world.world.mend("10.0.0.1", "10.0.0.2");
    EXPECT_TRUE(world.run_until([&] { return world.channel() != nullptr; }, 30'000))
        << "seed " << seed << "\n"
        << world.log.text();
  }
}

/// Nobody hears of it and no packet comes back, but a new connection works.
TEST(Reconnect, AConnectionThatIsSwallowedIsReplacedWithinThirtySeconds) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RoleWorld world(seed);
    world.relay_script = [](Session &session) {
      while (const auto words = session.message()) {
        session.say(*words == "ping" ? "pong" : "ok");
      }
    };
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.world.run_for(seed * 510); // at every moment between two pings
    world.world.lose("10.0.0.1", "10.0.0.2");
    const std::uint64_t lost_ms = world.world.now_ns() / 1'000'000U;
    ASSERT_TRUE(world.run_until(
        [&] { return world.log.count("lost the relay") == 1 && world.online(); }, 30'000))
        << "seed " << seed << "\n"
        << world.log.text();
    const auto noticed = times_of(world.log, "lost the relay");
    EXPECT_LE(noticed.at(0) - lost_ms, 15'000 + ShardLimits{}.pong_ms + kLatencyMs)
        << "seed " << seed;
  }
}

TEST(Reconnect, ARelayThatThrowsEverybodyOutAgainIsNotDialledWithoutAPause) {
  RoleWorld world;
  world.relay_script = lets_in_and_out;
  world.start_listener();
  world.world.run_for(60'000);
  EXPECT_LE(world.relay.sessions.size(), 20U);
  EXPECT_GE(world.relay.sessions.size(), 5U);
}

TEST(Reconnect, ARefusedTokenIsTriedAgainWithTheOtherKeyOnceAndThenLaterForEver) {
  for (const std::size_t keys : {1U, 2U}) {
    RoleWorld world(1, keys);
    std::vector<std::string> heads;
    bool accepting = false;
    world.relay_script = [&](Session &session) {
      if (const auto head = session.message()) {
        heads.push_back(*head);
        session.last = *head;
        session.say(accepting ? "ok" : "no token");
      }
      if (session.heard_end) {
        session.drop();
      }
    };
    const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.log.count("cannot register") == 1; }));
    EXPECT_LE(world.log.lines.back().at_ms - from_ms, kLatencyMs);
    ASSERT_EQ(heads.size(), keys) << "one try a key before it waits";
    EXPECT_EQ(heads.front(), "listen alpha token0");
    EXPECT_EQ(heads.back(), keys == 2 ? "listen alpha token1" : "listen alpha token0");
    EXPECT_TRUE(world.run_until([&] { return heads.size() >= 5 * keys; }, 120'000));
    accepting = true;
    EXPECT_TRUE(world.run_until([&] { return world.online(); }, 30'000));
  }
}

TEST(Reconnect, ARefusalThatNoWaitingMendsIsRepeatedAtThePaceOfALongOutageFromTheStart) {
  for (const char *refusal : {"no token", "no way"}) {
    RoleWorld world;
    world.relay_script = [refusal](Session &session) {
      if (session.message()) {
        session.say(refusal);
      }
      if (session.heard_end) {
        session.drop();
      }
    };
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.log.count("cannot register") >= 4; }, 120'000));
    const auto tries = times_of(world.log, "cannot register");
    for (std::size_t i = 1; i < tries.size(); ++i) {
      EXPECT_GE(tries[i] - tries[i - 1], ClientLimits{}.reconnect_ceiling_ms / 2) << refusal;
    }
    EXPECT_EQ(world.log.count("cannot register at the relay; trying again in "), tries.size());
  }
}

TEST(Reconnect, EvenARelayThatSaysNeverIsAskedAgain) {
  RoleWorld world;
  world.relay_script = [](Session &session) {
    if (session.message()) {
      session.say("no way");
    }
    if (session.heard_end) {
      session.drop();
    }
  };
  world.start_listener();
  EXPECT_TRUE(world.run_until([&] { return world.log.count("cannot register") >= 4; }, 120'000));
}

} // namespace
} // namespace culvert::test
