// A listener or sender that is given another configuration while it runs: what is in flight keeps
// what it began with, and nobody keeps it for longer.
#include "unit/role/role_world.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

/// What a kit refers to: here it only shows for how long it is held.
ClientKit held_kit(RoleWorld &world, std::weak_ptr<int> &watched) {
  ClientKit kit = world.kit();
  const auto owner = std::make_shared<int>(0);
  watched = owner;
  kit.held = owner;
  return kit;
}

TEST(Update, ASendersConnectionGoesOnAsItBeganAndTheNextMeetsTheNew) {
  RoleWorld world;
  world.relay_script = [&](Session &session) {
    const auto head = session.message();
    if (head && &session != &world.relay.sessions.front()) {
      session.last = *head;
      session.say("ok");
    }
  };
  world.start_sender();
  std::weak_ptr<int> first;
  std::weak_ptr<int> second;
  world.sender->use(held_kit(world, first), world.sender_options);
  RawPeer &waiting = world.app();
  ASSERT_TRUE(world.run_until([&] { return world.relay.sessions.size() == 1; }));
  world.limits.upgrade_ms = 5'000;
  SenderOptions elsewhere = world.sender_options;
  elsewhere.entity.path = "beta";
  world.sender->use(held_kit(world, second), elsewhere);
  EXPECT_FALSE(first.expired()) << "a set-up is in flight";
  RawPeer &next = world.app();
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
  EXPECT_NE(world.relay.sessions.at(1).last.find("beta"), std::string::npos);
  EXPECT_FALSE(next.ended);
  ASSERT_TRUE(world.run_until([&] { return waiting.ended; }));
  EXPECT_TRUE(world.run_until([&] { return first.expired(); }));
  EXPECT_FALSE(second.expired());
}

TEST(Update, AnAppThatStillWaitsForItsSetUpMeetsTheNew) {
  RoleWorld world;
  world.limits.first_setups = 1;
  world.relay_script = [&](Session &session) {
    const auto head = session.message();
    if (head) {
      session.last = *head;
    }
    if (head && &session != &world.relay.sessions.front()) {
      session.say("ok");
    }
  };
  world.start_sender();
  world.app();
  world.app(); // it waits: one set-up at once
  ASSERT_TRUE(world.run_until([&] { return world.log.count("an app has connected") == 2; }));
  std::weak_ptr<int> second;
  SenderOptions elsewhere = world.sender_options;
  elsewhere.entity.path = "beta";
  world.limits.upgrade_ms = 5'000;
  world.sender->use(held_kit(world, second), elsewhere);
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
  EXPECT_NE(world.relay.sessions.at(1).last.find("beta"), std::string::npos);
}

TEST(Update, APaceThatIsTooLargeShrinks) {
  ClientLimits limits;
  Pacer pacer(limits);
  EXPECT_EQ(pacer.window(), limits.first_setups);
  limits.setups_per_shard = 64;
  pacer.use(limits);
  EXPECT_EQ(pacer.window(), 16U);
}

TEST(Update, AListenersChannelStandsAndItsNextOneBeginsWithTheNew) {
  RoleWorld world;
  std::weak_ptr<int> first;
  std::weak_ptr<int> second;
  world.start_listener();
  world.listener->use(held_kit(world, first), world.listener_options); // registration in flight
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.listener->use(held_kit(world, second), world.listener_options);
  EXPECT_TRUE(world.online());
  EXPECT_TRUE(first.expired()) << "a channel that stands needs no key";
  world.channel()->drop();
  ASSERT_TRUE(world.run_until([&] { return world.counters.channels_lost == 1; }));
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  EXPECT_FALSE(second.expired());
}

} // namespace
} // namespace culvert::test
