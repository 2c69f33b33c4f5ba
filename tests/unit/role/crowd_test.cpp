// A sender and more apps than its relay takes at once, or apps that do not wait: on counts alone.
#include "unit/role/role_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

/// A relay that lets so many senders wait, and says "busy" to the others.
struct BusyRelay {
  BusyRelay(RoleWorld &world, std::size_t most) : most_waiting(most) {
    world.relay_script = [this](Session &session) {
      if (session.heard_end && session.last == "waits") {
        std::erase(waiting, &session);
      } else if (session.last.empty() && session.message()) {
        ++dials;
        session.last = waiting.size() < most_waiting ? "waits" : "refused";
        if (session.last == "waits") {
          waiting.push_back(&session);
        } else {
          ++refused;
          session.say("busy");
        }
      }
    };
  }
  /// Their listeners come for the oldest ones.
  void serve(std::size_t count) {
    for (; count > 0 && !waiting.empty(); --count) {
      waiting.front()->last = "served";
      waiting.front()->say("ok");
      waiting.pop_front();
    }
  }

  const std::size_t most_waiting;
  std::deque<Session *> waiting;
  std::size_t dials = 0;
  std::size_t refused = 0;
};

std::size_t count_ended(const std::vector<RawPeer *> &apps) {
  return static_cast<std::size_t>(
      std::count_if(apps.begin(), apps.end(), [](const RawPeer *app) { return app->ended; }));
}

std::vector<RawPeer *> crowd(RoleWorld &world, std::size_t count) {
  std::vector<RawPeer *> apps;
  for (std::size_t i = 0; i < count; ++i) {
    apps.push_back(&world.app());
  }
  return apps;
}

TEST(SenderCrowd, EachOfAManyAppsIsServedByARelayThatTakesFew) {
  for (const std::size_t count : {400U, 800U, 1'500U}) {
    RoleWorld world;
    BusyRelay relay(world, 100);
    world.start_sender();
    const std::vector<RawPeer *> apps = crowd(world, count);
    for (int rounds = 0; rounds < 2'000 && world.counters.tunnels.open() < count; ++rounds) {
      world.world.run_for(10);
      relay.serve(10);
    }
    EXPECT_EQ(world.counters.tunnels.open(), count) << relay.refused << " refused";
    EXPECT_EQ(count_ended(apps), 0U);
    EXPECT_LT(relay.refused, count) << "it does not learn its pace";
  }
}

TEST(SenderCrowd, EachIsServedThoughTheRelayResetsThem) {
  RoleWorld world;
  std::size_t resets = 300;
  world.relay_script = [&](Session &session) {
    if (session.message()) {
      if (resets > 0) {
        --resets;
        session.drop();
      } else {
        session.say("ok");
      }
    }
  };
  world.start_sender();
  const std::vector<RawPeer *> apps = crowd(world, 400);
  EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 400; }, 10'000));
  EXPECT_EQ(count_ended(apps), 0U);
}

TEST(SenderCrowd, WhoHasNoRoomWaitsInTheBacklogOfTheKernel) {
  RoleWorld world;
  BusyRelay relay(world, 10'000);
  world.start_sender();
  const std::vector<RawPeer *> apps = crowd(world, 3'000);
  world.world.run_for(5'000);
  EXPECT_EQ(relay.dials, ClientLimits{}.first_setups);
  EXPECT_LT(world.log.count("an app has connected"), apps.size() / 2);
  EXPECT_EQ(count_ended(apps), 0U);
  for (int rounds = 0; rounds < 2'000 && world.counters.tunnels.open() < apps.size(); ++rounds) {
    world.world.run_for(1);
    relay.serve(1'000);
  }
  EXPECT_EQ(world.counters.tunnels.open(), apps.size());
  EXPECT_EQ(relay.refused, 0U);
  EXPECT_EQ(count_ended(apps), 0U);
}

TEST(SenderCrowd, WhoComesToAFullTableIsReset) {
  struct Row {
    std::uint64_t ClientLimits::*field;
    bool room_behind_the_join;
  };
  for (const Row &row :
       {Row{&ClientLimits::setups_per_shard, true}, Row{&ClientLimits::tunnels_per_shard, false}}) {
    RoleWorld world;
    world.limits.*row.field = 1;
    BusyRelay relay(world, 10);
    world.start_sender();
    const RawPeer &first = world.app();
    ASSERT_TRUE(world.run_until([&] { return relay.dials == 1; }));
    const RawPeer &second = world.app("question");
    ASSERT_TRUE(world.run_until([&] { return second.ended; }, 100));
    EXPECT_TRUE(second.aborted);
    EXPECT_EQ(world.log.count("too many connections; one is reset"), 1U);
    relay.serve(1);
    ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
    const RawPeer &third = world.app();
    ASSERT_TRUE(world.run_until([&] { return relay.dials == 2 || third.ended; }, 100));
    EXPECT_EQ(third.ended, !row.room_behind_the_join);
    EXPECT_FALSE(first.ended);
  }
}

TEST(SenderCrowd, DropInTheMidstOfItLeavesNothing) {
  for (std::uint64_t at_ms = 1; at_ms < 400; at_ms += 13) {
    RoleWorld world(at_ms);
    BusyRelay relay(world, 20);
    world.start_sender();
    crowd(world, 200);
    world.world.run_for(at_ms);
    relay.serve(5);
    world.sender->drop();
    EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 100)) << at_ms;
    EXPECT_EQ(world.end(), "") << at_ms;
  }
}

// --- apps that do not wait -----------------------------------------------------------------------

TEST(SenderApp, ThatBreaksItsConnectionEndsItsSetUpAtOnce) {
  for (const char *bytes : {"", "unread question"}) {
    RoleWorld world;
    BusyRelay relay(world, 10);
    world.start_sender();
    RawPeer &app = world.app(bytes);
    ASSERT_TRUE(world.run_until([&] { return relay.dials == 1; }));
    app.drop();
    EXPECT_TRUE(world.run_until([&] { return relay.waiting.empty(); }, 100)) << bytes;
    EXPECT_EQ(world.log.count("an app left before its tunnel was there"), 1U) << world.log.text();
    EXPECT_EQ(world.counters.setups_failed, 0U);
  }
}

TEST(SenderApp, ThatBreaksItsConnectionLeavesTheQueueAndThePause) {
  RoleWorld world;
  BusyRelay relay(world, 1);
  world.start_sender();
  const std::vector<RawPeer *> apps = crowd(world, 50);
  ASSERT_TRUE(world.run_until([&] { return relay.refused > 10; }));
  for (RawPeer *app : apps) {
    app->drop();
  }
  ASSERT_TRUE(world.run_until([&] { return relay.waiting.empty(); }, 100));
  const std::size_t dials = relay.dials;
  world.world.run_for(20'000);
  EXPECT_EQ(relay.dials, dials) << "a set-up is repeated for nobody";
  EXPECT_EQ(world.log.count("an app left before its tunnel was there"), apps.size());
}

/// `echo question | nc`: it has said all it has to say, and waits for the answer.
TEST(SenderApp, ThatHalfClosesKeepsItsSetUp) {
  RoleWorld world;
  BusyRelay relay(world, 10);
  world.start_sender();
  RawPeer &app = world.app("question", true);
  ASSERT_TRUE(world.run_until([&] { return relay.dials == 1; }));
  Session &session = *relay.waiting.at(0);
  world.world.run_for(5'000);
  relay.serve(1);
  ASSERT_TRUE(world.run_until([&] { return session.heard_end; }, 1'000));
  EXPECT_EQ(session.heard, "question");
  session.raw("answer");
  session.finish();
  ASSERT_TRUE(world.run_until([&] { return app.ended; }));
  EXPECT_EQ(app.heard, "answer");
  EXPECT_FALSE(app.aborted);
}

TEST(SenderApp, ThatClosesAUnixSocketEndsItsSetUpAtOnceAndOneThatHalfClosesDoesNot) {
  const Address path = Address::unix_path("/run/app");
  for (const char *bytes : {"", "unread question"}) {
    RoleWorld world;
    BusyRelay relay(world, 10);
    world.start_sender(path);
    RawPeer half_closed(*world.shard, path, bytes, true);
    RawPeer app(*world.shard, path, bytes);
    ASSERT_TRUE(world.run_until([&] { return relay.dials == 2; }));
    app.drop();
    EXPECT_TRUE(world.run_until([&] { return relay.waiting.size() == 1; }, 100)) << bytes;
    EXPECT_EQ(world.log.count("an app left before its tunnel was there"), 1U) << world.log.text();
    world.world.run_for(5'000);
    relay.serve(1);
    EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }, 1'000));
    half_closed.drop();
    EXPECT_EQ(world.end(), "");
  }
}

// --- a plugin that does not answer ---------------------------------------------------------------

TEST(SenderPlugin, ThatNeverAnswersCostsItsStepAndNoMore) {
  struct Row {
    void (*prepare)(RoleWorld &);
    const char *why;
  };
  const Row rows[] = {
      {[](RoleWorld &world) { world.auth.silent = true; },
       "source=plugin why=authorize took longer than 10 s: plugin silent has not completed"},
      {[](RoleWorld &world) { world.resolver.silent = "10.0.0.1"; },
       "source=plugin why=resolve took longer than 10 s: plugin silent has not completed"},
  };
  for (const Row &row : rows) {
    RoleWorld world;
    row.prepare(world);
    world.start_sender();
    RawPeer &app = world.app("question");
    EXPECT_TRUE(world.run_until([&] { return app.ended; }, ClientLimits{}.handshake_ms + 100))
        << row.why;
    EXPECT_TRUE(app.aborted);
    EXPECT_EQ(world.log.count(row.why), 1U) << world.log.text();
  }
}

TEST(SenderPlugin, ThatNeverAnswersDoesNotHoldUpADrop) {
  RoleWorld world;
  world.auth.silent = true;
  world.start_sender();
  world.app("question");
  ASSERT_TRUE(world.run_until([&] { return world.log.count("step=authorize") == 1; }));
  world.sender->drop();
  EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 100));
}

} // namespace
} // namespace culvert::test
