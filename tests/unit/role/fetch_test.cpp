// How a listener fetches a sender, or refuses it, at a relay that does not always answer.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

std::size_t count_heads(const RoleWorld &world, const std::string &beginning) {
  std::size_t count = 0;
  for (const Session &session : world.relay.sessions) {
    count += session.last.starts_with(beginning) ? 1 : 0;
  }
  return count;
}

/// Offers one connection; what becomes of the listener's own for it is `fetched`'s to say.
std::function<void(Session &)> offering_to(std::function<void(Session &)> fetched) {
  return [fetched = std::move(fetched)](Session &session) {
    if (const auto head = session.message()) {
      session.last = session.last.empty() ? *head : session.last;
      if (head->starts_with("listen")) {
        session.say("ok");
        session.say("offer 10.0.0.1 4430 first");
      } else if (*head == "ping") {
        session.say("pong");
      } else {
        fetched(session);
      }
    }
  };
}

TEST(ListenerFetch, IsRepeatedWhenItIsResetOrMeetsAFullRelay) {
  for (const bool resets : {true, false}) {
    RoleWorld world;
    world.relay_script = offering_to([&](Session &session) {
      if (count_heads(world, "accept") > 2) {
        session.say("ok");
      } else if (resets) {
        session.drop();
      } else {
        session.say("busy");
      }
    });
    world.start_listener();
    EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }, 1'000));
    EXPECT_EQ(world.target.sessions.size(), 1U);
    EXPECT_EQ(world.counters.setups_failed, 0U);
  }
}

TEST(ListenerFetch, IsRepeatedWhenItIsRefusedOrSwallowed) {
  for (const bool swallowed : {true, false}) {
    RoleWorld world;
    Service gate(world.world, world.log, "10.0.0.5", 4430, [](Session &session) {
      if (session.message()) {
        session.say("ok");
      }
    });
    if (swallowed) {
      world.world.cut("10.0.0.5", "10.0.0.2");
    } else {
      gate.close();
    }
    world.relay_script = offering({"offer 10.0.0.5 4430 first"});
    world.start_listener({"10.0.0.5"});
    world.world.run_for(3'000);
    EXPECT_EQ(world.target.sessions.size(), 1U);
    if (swallowed) {
      world.world.mend("10.0.0.5", "10.0.0.2");
    } else {
      gate.open();
    }
    EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; },
                                ClientLimits{}.fetch_ms));
    world.end();
    gate.close();
    gate.drop_all();
    world.world.run_for(100);
  }
}

TEST(ListenerFetch, ThatCannotSucceedIsToldToTheSenderWhileTheCapabilityLives) {
  RoleWorld world;
  world.relay_script = offering_to([](Session &session) {
    if (session.last.starts_with("accept")) {
      session.drop();
    } else {
      session.say("ok");
    }
  });
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "reject first") != nullptr; }));
  const std::uint64_t took_ms = world.world.now_ns() / 1'000'000U - from_ms;
  EXPECT_GE(took_ms, ClientLimits{}.fetch_ms - ClientLimits{}.repeat_ceiling_ms);
  EXPECT_LE(took_ms, ClientLimits{}.fetch_ms + 100);
  EXPECT_LT(count_heads(world, "accept"), 30U) << "the pauses do not grow";
  EXPECT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }));
  EXPECT_TRUE(world.run_until([&] { return world.target.sessions.at(0).aborted; }));
}

/// The refusal itself may take as long as the capability lives; the target need not wait for it.
TEST(ListenerFetch, ThatIsRefusedLetsTheTargetGoWhenTheRefusalBegins) {
  RoleWorld world;
  world.relay_script = [](Session &session) {
    const auto head = session.message();
    if (head && head->starts_with("listen")) {
      session.say("ok");
      session.say("offer 10.0.0.1 4430 unfetchable");
    } else if (head && *head == "ping") {
      session.say("pong");
    }
  };
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.target.sessions.size() == 1; }));
  EXPECT_TRUE(world.run_until([&] { return world.target.sessions.at(0).aborted; }, 1'000));
  EXPECT_EQ(world.log.count("an offer came to nothing"), 0U) << "the refusal is still under way";
  EXPECT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }));
}

TEST(ListenerFetch, ThatTheRelayRejectsIsNotRepeated) {
  RoleWorld world;
  world.relay_script = offering_to([](Session &session) { session.say("no luck"); });
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }));
  EXPECT_EQ(count_heads(world, "accept") + count_heads(world, "reject"), 1U);
}

TEST(ListenerFetch, ARefusalIsRepeatedToo) {
  RoleWorld world;
  world.target.close();
  world.relay_script = offering_to([&](Session &session) {
    if (count_heads(world, "reject") > 2) {
      session.say("ok");
    } else {
      session.drop();
    }
  });
  world.start_listener();
  EXPECT_TRUE(world.run_until([&] { return count_heads(world, "reject") == 3; }, 1'000));
  EXPECT_TRUE(world.run_until(
      [&] { return world.log.count("cannot connect to the target for a sender") == 1; }));
  EXPECT_NE(world.log.text().find("source=target"), std::string::npos);
}

TEST(ListenerFetch, ThatIsNotAnsweredIsRepeatedAndTheTargetIsLetGoInTheEnd) {
  RoleWorld world;
  world.relay_script = offering_to([](Session &) {});
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "accept first") != nullptr; }));
  const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
  ASSERT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }));
  EXPECT_LE(world.world.now_ns() / 1'000'000U - from_ms, ClientLimits{}.rendezvous_ms + 100);
  EXPECT_EQ(count_heads(world, "accept"), 3U) << world.log.text();
  EXPECT_EQ(count_heads(world, "reject"), 1U);
  EXPECT_TRUE(world.run_until([&] { return world.target.sessions.at(0).heard_end; }));
  EXPECT_TRUE(world.target.sessions.at(0).aborted);
}

TEST(ListenerFetch, DropAtAnyMomentLeavesNothing) {
  for (std::uint64_t at_ms = 1; at_ms < 30'500; at_ms += 271) {
    RoleWorld world(at_ms);
    world.relay_script = offering_to([](Session &session) { session.drop(); });
    world.start_listener();
    world.world.run_for(at_ms);
    world.listener->drop();
    EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 1'000)) << at_ms;
    EXPECT_EQ(world.end(), "") << at_ms;
  }
}

} // namespace
} // namespace culvert::test
