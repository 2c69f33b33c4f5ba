// Each limit of a listener or sender that is a time bounds what it names; those that count stand
// with the roles' own tests.
#include "unit/role/role_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace culvert::test {
namespace {

constexpr std::uint64_t kSetMs = 2'000; // unlike every default
constexpr std::uint64_t kSlackMs = 100; // the world's latency

struct Row {
  const char *what;
  std::uint64_t ClientLimits::*field;
  std::function<void(RoleWorld &)> prepare;
  const char *log; // once it has passed
  std::uint64_t slack_ms = kSlackMs;
};

/// A relay that lets a listener in, offers it one connection, and resets whoever fetches it.
void offers_and_resets(RoleWorld &world) {
  world.relay_script = [](Session &session) {
    if (const auto head = session.message()) {
      session.last = session.last.empty() ? *head : session.last;
      if (*head == "ping") {
        session.say("pong");
      } else if (head->starts_with("listen")) {
        session.say("ok");
        session.say("offer 10.0.0.1 4430 x");
      } else {
        session.drop();
      }
    }
  };
}

void is_busy(RoleWorld &world) {
  world.relay_script = [](Session &session) {
    if (session.message()) {
      session.say("busy");
    }
  };
}

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
      {"a resolver that is silent about a target", &ClientLimits::handshake_ms,
       [](RoleWorld &world) {
         world.resolver.silent = world.listener_options.target.host = "db.example";
         offers_and_resets(world);
         world.limits.rendezvous_ms = 2'001;
         world.start_listener();
       },
       "cannot connect to the target for a sender"},
      {"a relay that is too busy for a sender", &ClientLimits::setup_repeat_ms,
       [](RoleWorld &world) {
         world.limits.repeat_ceiling_ms = world.limits.repeat_floor_ms;
         is_busy(world);
         world.start_sender();
         world.app();
       },
       "no tunnel for a connection", 2 * kSlackMs},
      {"a relay that resets whoever fetches a sender, or refuses it", &ClientLimits::rendezvous_ms,
       [](RoleWorld &world) {
         world.limits.fetch_ms = 1'000;
         offers_and_resets(world);
         world.start_listener();
       },
       "an offer came to nothing", ClientLimits{}.repeat_ceiling_ms},
  };
  for (const Row &row : rows) {
    RoleWorld world;
    const std::uint64_t took_ms = waited_ms(world, row);
    EXPECT_GE(took_ms, kSetMs) << row.what;
    EXPECT_LE(took_ms, kSetMs + row.slack_ms) << row.what;
  }
}

TEST(ClientLimit, AListenerGivesUpAFetchAndSaysSo) {
  RoleWorld world;
  world.limits.fetch_ms = kSetMs;
  offers_and_resets(world);
  world.start_listener();
  const auto rejects = [&] {
    return std::any_of(world.relay.sessions.begin(), world.relay.sessions.end(),
                       [](const Session &session) { return session.last.starts_with("reject"); });
  };
  world.world.run_for(kSetMs - kSlackMs);
  EXPECT_FALSE(rejects());
  EXPECT_TRUE(world.run_until(rejects, 2 * kSlackMs));
}

TEST(ClientLimit, ASenderBeginsWithAFewSetUpsOfThoseItMayHave) {
  struct CountRow {
    std::uint64_t ClientLimits::*field;
    std::uint64_t value;
    std::size_t dials;
  };
  for (const CountRow &row : {CountRow{&ClientLimits::first_setups, 7, 7},
                              CountRow{&ClientLimits::setups_per_shard, 40, 10}}) {
    RoleWorld world;
    world.limits.*row.field = row.value;
    world.relay_script = [](Session &) {}; // each waits for its tunnel
    world.start_sender();
    for (int i = 0; i < 30; ++i) {
      world.app();
    }
    world.world.run_for(1'000);
    EXPECT_EQ(world.relay.sessions.size(), row.dials);
  }
}

TEST(ClientLimit, ThePausesOfASetUpDoubleBetweenFloorAndCeiling) {
  struct PauseRow {
    std::uint64_t floor_ms, ceiling_ms;
    std::size_t least, most; // dials in setup_repeat_ms; a pause is between half and all of it
  };
  for (const PauseRow &row :
       {PauseRow{5'000, 5'000, 3, 6}, PauseRow{100, 100, 100, 202}, PauseRow{100, 5'000, 7, 12}}) {
    RoleWorld world;
    world.limits.repeat_floor_ms = row.floor_ms;
    world.limits.repeat_ceiling_ms = row.ceiling_ms;
    std::size_t dials = 0;
    world.relay_script = [&dials](Session &session) {
      if (session.message()) {
        ++dials;
        session.say("busy");
      }
    };
    world.start_sender();
    world.app();
    ASSERT_TRUE(world.run_until([&] { return world.log.count("no tunnel") == 1; }));
    EXPECT_GE(dials, row.least) << row.floor_ms << " to " << row.ceiling_ms;
    EXPECT_LE(dials, row.most) << row.floor_ms << " to " << row.ceiling_ms;
  }
}

TEST(ClientLimit, TheShortestPauseOfASetUpIsAMillisecond) {
  RoleWorld world;
  world.limits.repeat_floor_ms = 1;
  world.limits.repeat_ceiling_ms = 1;
  world.limits.setup_repeat_ms = 1'000;
  is_busy(world);
  world.start_sender();
  world.app();
  ASSERT_TRUE(world.run_until([&] { return world.log.count("no tunnel") == 1; }));
  std::size_t pauses = 0;
  const std::vector<TimedLine> &lines = world.log.lines;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i - 1].text.starts_with("the relay is too busy; a set-up is repeated") &&
        lines[i].text.find("step=authorize") != std::string::npos) {
      ++pauses;
      EXPECT_GT(lines[i].at_ms, lines[i - 1].at_ms);
    }
  }
  EXPECT_GT(pauses, 100U);
}

/// The counts in the lines of this message that are for an operator.
std::vector<std::string> told(const RoleWorld &world, std::string_view message) {
  std::vector<std::string> counts;
  for (const TimedLine &line : world.log.lines) {
    if (line.text.starts_with(message) && line.level != LogLevel::kDebug) {
      counts.push_back(line.text.substr(line.text.rfind("failures=") + 9));
    }
  }
  return counts;
}

TEST(ClientLimit, ALoopOfFailuresIsAFewLines) {
  const std::vector<std::string> few{"1", "2", "3", "4", "8", "16", "32"};
  const auto set = [](RoleWorld &world) {
    world.limits.failures_logged = 3;
    world.limits.failure_memory_ms = kSetMs;
  };
  { // connections while no relay is there, then one more after a silence
    RoleWorld world;
    set(world);
    world.relay.close();
    world.start_sender();
    for (int i = 0; i < 40; ++i) {
      const RawPeer &app = world.app();
      ASSERT_TRUE(world.run_until([&] { return app.ended; }));
    }
    EXPECT_EQ(told(world, "no tunnel for a connection"), few);
    EXPECT_EQ(world.log.count("no tunnel for a connection"), 40U);
    world.world.run_for(kSetMs);
    world.app();
    EXPECT_TRUE(world.run_until([&] { return told(world, "no tunnel").size() == few.size() + 1; }));
    EXPECT_EQ(told(world, "no tunnel").back(), "1");
  }
  { // apps that leave while the relay is silent
    RoleWorld world;
    set(world);
    world.relay_script = [](Session &) {};
    world.start_sender();
    for (std::size_t i = 1; i <= 40; ++i) {
      RawPeer &app = world.app();
      world.world.run_for(kSlackMs);
      app.drop();
      ASSERT_TRUE(world.run_until([&] { return world.log.count("an app left before") == i; }));
    }
    EXPECT_EQ(told(world, "an app left before"), few);
  }
  for (const bool full : {false, true}) { // offers of a relay that makes many
    RoleWorld world;
    set(world);
    world.limits.offers_per_shard = full ? 1 : 4'096;
    world.limits.refusals_per_shard = full ? 0 : 256;
    if (full) {
      world.world.cut("10.0.0.2", "10.0.0.3"); // the one it serves waits for its target
    } else {
      world.target.close();
    }
    world.relay_script =
        offering(std::vector<std::string>(full ? 41 : 40, "offer 10.0.0.1 4430 x"));
    world.start_listener();
    const char *const words = full ? "too many offers at once" : "cannot connect to the target";
    ASSERT_TRUE(world.run_until([&] { return world.log.count(words) == 40; }));
    EXPECT_EQ(told(world, words), few);
  }
}

TEST(ALogOf, AnHourWithoutTheRelayIsShortAndBeginsAgainAfterwards) {
  RoleWorld world;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.world.run_for(2'000);
  world.relay.close();
  world.relay.drop_all();
  world.world.run_for(3'600'000);
  EXPECT_GT(world.log.count("cannot register at the relay"), 200U);
  EXPECT_EQ(told(world, "lost the relay"), std::vector<std::string>{"1"});
  std::vector<std::string> lines = told(world, "cannot register at the relay");
  ASSERT_GE(lines.size(), 7U);
  EXPECT_LE(lines.size(), 8U) << "perhaps number 256";
  lines.resize(7);
  EXPECT_EQ(lines, (std::vector<std::string>{"2", "4", "8", "16", "32", "64", "128"}));
  world.relay.open();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }, 60'000));
  world.world.run_for(2'000);
  world.relay.drop_all();
  ASSERT_TRUE(world.run_until([&] { return told(world, "lost the relay").size() == 2; }));
  EXPECT_EQ(told(world, "lost the relay").back(), "1");
}

TEST(ALogOf, ARelayThatDropsEachChannelAtOnceIsShortToo) {
  RoleWorld world;
  world.relay_script = lets_in_and_out;
  world.start_listener();
  world.world.run_for(3'600'000);
  EXPECT_GT(world.log.count("lost the relay"), 100U);
  EXPECT_LE(told(world, "lost the relay").size(), 12U);
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
