// A listener of three shards: one control channel, and offers dealt out to all parts.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

/// The part of RoleWorld leads; two more follow, each on a shard of its own.
class ThreeParts {
public:
  explicit ThreeParts(RoleWorld &world_of_it) : world(world_of_it) {
    world.listener.emplace(world.kit(), world.listener_options, "id", world.counters, Delegate<>());
    std::vector<Listener::Follower> followers;
    while (parts.size() < 2) {
      Part &part = *parts.emplace_back(std::make_unique<Part>(world));
      part.listener.follow();
      part.listener.start();
      followers.push_back({&part.listener, &part.shard.io});
    }
    world.listener->lead(followers);
    world.listener->start();
  }
  ~ThreeParts() {
    drop();
    EXPECT_TRUE(world.run_until([&] { return world.counters.parts_running == 0; }));
  }
  void drain() {
    for (const auto &part : parts) {
      part->listener.drain();
    }
    world.listener->drain();
  }
  void drop() {
    for (const auto &part : parts) {
      part->listener.drop();
    }
    world.listener->drop();
  }

  struct Part {
    explicit Part(RoleWorld &world)
        : random(world.world.make_random()),
          shard(world.world.make_io("part", "10.0.0.2"), *random, world.log, 0), auth(shard, 1),
          resolver(shard),
          listener({shard, world.transport, auth, resolver, nullptr, world.digests, &world.limits},
                   world.listener_options, "id", world.counters, Delegate<>()) {}
    std::unique_ptr<Random> random;
    Shard shard;
    TableAuth auth;
    TableResolver resolver;
    Listener listener;
  };
  RoleWorld &world;
  std::vector<std::unique_ptr<Part>> parts;
};

std::vector<std::string> offers(std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i) {
    words.push_back("offer 10.0.0.1 4430 " + std::to_string(i));
  }
  return words;
}

std::size_t heads(RoleWorld &world, const std::string &beginning) {
  std::size_t count = 0;
  for (const Session &session : world.relay.sessions) {
    count += session.last.starts_with(beginning) ? 1 : 0;
  }
  return count;
}

TEST(ListenerParts, RegisterOnceAndShareTheOffers) {
  RoleWorld world;
  world.relay_script = offering(offers(9));
  ThreeParts parts(world);
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 9; }));
  EXPECT_EQ(heads(world, "listen"), 1U);
  EXPECT_EQ(heads(world, "accept"), 9U);
  EXPECT_EQ(world.counters.channels_online, 1U);
  for (const auto &part : parts.parts) {
    EXPECT_EQ(part->auth.asked, 0U);
  }
}

TEST(ListenerParts, ThatDrainServeWhatTheLeaderStillReads) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RoleWorld world(seed);
    world.relay_script = offering(offers(9));
    ThreeParts parts(world);
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    parts.drain();
    ASSERT_TRUE(world.run_until([&] { return heads(world, "accept") == 9; })) << seed;
    world.relay.drop_all();
    world.target.drop_all();
    EXPECT_TRUE(world.run_until([&] { return world.counters.parts_running == 0; })) << seed;
  }
}

TEST(ListenerParts, AFollowerStopsOnlyAfterItsLeader) {
  RoleWorld world;
  world.relay_script = offering({});
  ThreeParts parts(world);
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  for (const auto &part : parts.parts) {
    part->listener.drop();
  }
  world.world.run_for(60'000);
  EXPECT_EQ(world.counters.parts_running, 3U);
  world.listener->drop();
  EXPECT_TRUE(world.run_until([&] { return world.counters.parts_running == 0; }));
}

TEST(ListenerParts, MayBeDroppedWithOffersUnderWay) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    RoleWorld world(seed);
    world.relay_script = offering(offers(30));
    ThreeParts parts(world);
    world.world.run_for(seed / 10);
    parts.drop();
    EXPECT_TRUE(world.run_until([&] { return world.counters.parts_running == 0; })) << seed;
  }
}

} // namespace
} // namespace culvert::test
