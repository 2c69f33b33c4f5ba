// A sender between scripted apps and a scripted relay.
#include "unit/role/role_world.hpp"

#include <algorithm>
#include <new>
#include <sys/mman.h>

namespace culvert::test {
namespace {

TEST(Sender, CarriesBytesBothWays) {
  RoleWorld world;
  world.start_sender();
  RawPeer &app = world.app("question");
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
  Session &relayed = world.relay.sessions.at(0);
  EXPECT_EQ(relayed.last, "dial alpha token0");
  ASSERT_TRUE(world.run_until([&] { return relayed.heard == "question"; }));
  relayed.raw("answer");
  ASSERT_TRUE(world.run_until([&] { return app.heard == "answer"; }));
  EXPECT_EQ(world.counters.tunnels.bytes_in(), 8U); // while it lives
  EXPECT_EQ(world.counters.tunnels.bytes_out(), 6U);
  EXPECT_EQ(world.log.count("tunnel joined entity=alpha id="), 1U) << world.log.text();
  EXPECT_EQ(world.log.count(" app=10.0.0.4:40001 relay=10.0.0.1:4430"), 1U) << world.log.text();
  relayed.finish();
  ASSERT_TRUE(world.run_until([&] { return app.ended; }));
  EXPECT_FALSE(app.aborted);
}

/// What the app sees is always a reset: never a clean empty answer.
TEST(Sender, AnyFailureResetsTheApp) {
  struct Row {
    const char *what;
    std::function<void(RoleWorld &)> prepare;
    const char *log;
    std::uint64_t within_ms;
  };
  const auto says = [](std::string words) {
    return [words = std::move(words)](RoleWorld &world) {
      world.relay_script = [words](Session &session) {
        if (session.message()) {
          session.say(words);
        }
      };
    };
  };
  const Row rows[] = {
      {"refused", [](RoleWorld &world) { world.relay.close(); }, "source=relay", 100},
      {"black hole", [](RoleWorld &world) { world.world.cut("10.0.0.1", "10.0.0.2"); },
       "source=relay", ClientLimits{}.relay_dial_ms + 100},
      {"no luck", says("no luck"), "it said: no luck", 100},
      {"no way", says("no way"), "it said: no way", 100},
      {"no token", says("no token"), "it said: no token", 100},
      {"ends at once",
       [](RoleWorld &world) {
         world.relay_script = [](Session &session) {
           if (session.message()) {
             session.finish();
           }
         };
       },
       "source=relay", 100},
      {"ends inside a length",
       [](RoleWorld &world) {
         world.relay_script = [](Session &session) {
           if (session.message()) {
             session.raw(std::string(1, '\0'));
             session.finish();
           }
         };
       },
       "why=the connection ended inside its head", 100},
      {"resets, for as long as a set-up is repeated",
       [](RoleWorld &world) { world.relay_script = [](Session &session) { session.drop(); }; },
       "source=relay", ClientLimits{}.setup_repeat_ms + ClientLimits{}.repeat_ceiling_ms},
      {"busy, for as long as a set-up is repeated", says("busy"), "why=it said: busy",
       ClientLimits{}.setup_repeat_ms + ClientLimits{}.repeat_ceiling_ms},
      {"says nothing", [](RoleWorld &world) { world.relay_script = [](Session &) {}; },
       "source=relay why=upgrade took longer than 40 s", ClientLimits{}.upgrade_ms + 100},
      {"no name", [](RoleWorld &world) { world.sender_options.entity.host = "nobody.example"; },
       "no address is known for nobody.example", 100},
  };
  for (const Row &row : rows) {
    RoleWorld world;
    row.prepare(world);
    world.start_sender();
    RawPeer &app = world.app("question");
    EXPECT_TRUE(world.run_until([&] { return app.ended; }, row.within_ms)) << row.what;
    EXPECT_TRUE(app.aborted) << row.what;
    EXPECT_EQ(app.heard, "") << row.what;
    EXPECT_EQ(world.log.count("no tunnel for a connection; it is reset"), 1U) << row.what;
    EXPECT_GE(world.log.count(row.log), 1U) << row.what << "\n" << world.log.text();
    EXPECT_EQ(world.counters.setups_failed, 1U) << row.what;
  }
}

TEST(Sender, ARefusedTokenIsTriedOnceWithTheOtherKey) {
  struct Row {
    std::size_t keys;
    const char *good; // the token that is taken
    std::size_t dials;
    bool joined;
  };
  const Row rows[] = {
      {2, "token1", 2, true}, {2, "none", 2, false}, {1, "none", 1, false}, {2, "token0", 1, true}};
  for (const Row &row : rows) {
    RoleWorld world(1, row.keys);
    world.relay_script = [&row](Session &session) {
      if (const auto head = session.message()) {
        session.say(head->ends_with(row.good) ? "ok" : "no token");
      }
    };
    world.start_sender();
    RawPeer &app = world.app();
    EXPECT_TRUE(
        world.run_until([&] { return app.ended || world.counters.tunnels.open() == 1; }, 1'000));
    EXPECT_EQ(world.counters.tunnels.open(), row.joined ? 1U : 0U) << row.good;
    EXPECT_EQ(world.relay.sessions.size(), row.dials) << row.good;
  }
}

TEST(Sender, FiftyRefusalsAtOnceDoNotMakeItForgetTheGoodKey) {
  RoleWorld world(1, 2);
  world.relay_script = [](Session &session) {
    if (const auto head = session.message()) {
      session.say(head->ends_with("token1") ? "ok" : "no token");
    }
  };
  world.start_sender();
  for (int i = 0; i < 50; ++i) {
    world.app();
  }
  EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 50; }, 5'000))
      << world.log.text();
}

TEST(Sender, SaysWhatTheProtocolWantsSaidNext) {
  RoleWorld world;
  std::string heard;
  world.relay_script = [&heard](Session &session) {
    if (session.last == "joined") {
      return;
    }
    if (const auto words = session.message()) {
      heard += *words + ";";
      session.last = *words == "more" ? "joined" : "asked";
      session.say(*words == "more" ? "ok" : "again more");
    }
  };
  world.start_sender();
  world.app();
  EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }, 1'000));
  EXPECT_EQ(heard, "dial alpha token0;more;");
}

TEST(Sender, EndsWithNothingLeftAtAnyMoment) {
  for (std::uint64_t at_us = 0; at_us < 3'000; at_us += 25) {
    for (const bool drains_first : {false, true}) {
      for (const bool refuses : {false, true}) {
        RoleWorld world(at_us + 1);
        if (refuses) {
          world.relay_script = [](Session &session) {
            if (session.message()) {
              session.say("no token");
            }
          };
        }
        world.start_sender();
        world.app("one");
        world.app("two");
        const std::uint64_t end_ns = world.world.now_ns() + at_us * 1'000;
        world.run_until([&] { return world.world.now_ns() >= end_ns; });
        if (drains_first) {
          world.sender->drain();
          world.run_until([&] { return world.world.now_ns() >= end_ns + 300'000; });
        }
        if (!world.stopped) {
          world.sender->drop();
        }
        EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 100)) << at_us;
        EXPECT_EQ(world.end(), "") << at_us << "\n" << world.log.text();
      }
    }
  }
}

/// A sender that is destroyed when it says that it has stopped, in memory that nobody may touch
/// after that.
class OwnerThatWaitsForNothing {
public:
  explicit OwnerThatWaitsForNothing(RoleWorld &world)
      : memory_(::mmap(nullptr, sizeof(Sender), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0)) {
    CULVERT_ASSERT(memory_ != MAP_FAILED);
    sender = new (memory_) Sender(world.kit(), world.sender_options, world.counters,
                                  Delegate<>::to<&OwnerThatWaitsForNothing::on_stopped>(*this));
    sender->start({world.shard->io.listen(*Address::from_literal("10.0.0.2", 9000)).value()});
  }
  OwnerThatWaitsForNothing(const OwnerThatWaitsForNothing &) = delete;
  OwnerThatWaitsForNothing &operator=(const OwnerThatWaitsForNothing &) = delete;
  ~OwnerThatWaitsForNothing() { ::munmap(memory_, sizeof(Sender)); }

  Sender *sender; // nullptr: it has stopped

private:
  void on_stopped() {
    std::destroy_at(std::exchange(sender, nullptr));
    ::mprotect(memory_, sizeof(Sender), PROT_NONE);
  }
  void *const memory_;
};

TEST(Sender, MayBeDestroyedByWhoHearsThatItHasStopped) {
  RoleWorld world;
  std::size_t dials = 0;
  world.relay_script = [&dials](Session &session) { dials += session.message() ? 1 : 0; };
  OwnerThatWaitsForNothing owner(world);
  RawPeer &app = world.app();
  ASSERT_TRUE(world.run_until([&] { return dials == 1; }));
  owner.sender->drain();
  world.world.run_for(100);
  app.drop(); // its set-up is the last thing of the sender
  EXPECT_TRUE(world.run_until([&] { return owner.sender == nullptr; }, 100));
}

TEST(Sender, DrainWaitsForItsTunnelsAndNoLongerThanTheGrace) {
  RoleWorld world;
  world.start_sender();
  RawPeer &app = world.app("question");
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
  world.sender->drain();
  world.world.run_for(ShardLimits{}.drain_grace_ms - 100);
  EXPECT_EQ(world.counters.tunnels.open(), 1U);
  EXPECT_FALSE(app.ended);
  EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 1'000));
  EXPECT_TRUE(world.run_until([&] { return app.ended; }, 1'000));
  EXPECT_TRUE(app.aborted);
}

} // namespace
} // namespace culvert::test
