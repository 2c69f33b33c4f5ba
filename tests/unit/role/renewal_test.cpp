// A listener renews the token of its control channel, on the simulated clock.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

/// What the relay hears on the control channel: all but pings.
struct Heard {
  explicit Heard(RoleWorld &world) {
    world.relay_script = [this](Session &session) {
      while (const auto words = session.message()) {
        if (*words == "ping") {
          session.say("pong");
        } else if (words->starts_with("renew ")) {
          renewals.push_back(words->substr(6));
        } else {
          heads.push_back(*words);
          session.last = *words;
          session.say("ok");
        }
      }
    };
  }
  std::vector<std::string> heads;
  std::vector<std::string> renewals;
};

std::size_t failures(const RoleWorld &world) {
  return world.log.count("cannot renew the token of the control channel");
}

TEST(ListenerRenewal, ComesWhenThreeQuartersOfTheTimeHavePassed) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 3'600;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.world.run_for(2'690'000);
  EXPECT_TRUE(heard.renewals.empty());
  world.world.run_for(20'000);
  ASSERT_EQ(heard.renewals.size(), 1U);
  EXPECT_EQ(heard.renewals[0], "token0.2");
  EXPECT_EQ(world.log.count("renewed the token of the control channel entity=alpha"), 1U);
  world.world.run_for(2'700'000); // three quarters of the second one's
  EXPECT_EQ(heard.renewals.size(), 2U);
  EXPECT_EQ(heard.heads.size(), 1U); // on the channel that stands
}

TEST(ListenerRenewal, GoesOnAsLongAsTheChannel) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 60;
  world.start_listener();
  world.world.run_for(3'600'000);
  EXPECT_GE(heard.renewals.size(), 75U);
  EXPECT_LE(heard.renewals.size(), 80U);
  EXPECT_EQ(world.auth.asked, heard.renewals.size() + 1);
  EXPECT_EQ(heard.heads.size(), 1U);
  EXPECT_EQ(failures(world), 0U);
}

TEST(ListenerRenewal, ComesEarlierWhereThePluginSaysSo) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 3'600;
  world.auth.renew_ahead_s = 1'700;
  world.start_listener();
  world.world.run_for(1'890'000);
  EXPECT_TRUE(heard.renewals.empty());
  world.world.run_for(20'000);
  EXPECT_EQ(heard.renewals.size(), 1U);
}

TEST(ListenerRenewal, IsNotNeededWhereATokenHasNoEnd) {
  RoleWorld world;
  Heard heard(world);
  world.start_listener();
  world.world.run_for(7ULL * 24 * 3'600'000);
  EXPECT_TRUE(heard.renewals.empty());
  EXPECT_EQ(world.auth.asked, 1U);
}

TEST(ListenerRenewal, IsAskedForAgainAfterAPause) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 3'600;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.auth.fails = true;
  world.world.run_for(3'600'000);
  EXPECT_TRUE(heard.renewals.empty());
  EXPECT_GE(failures(world), 14U); // a minute apart, then less
  EXPECT_LE(failures(world), 60U);
  EXPECT_EQ(world.log.count("why=there is no token now"), failures(world));
  world.auth.fails = false;
  world.world.run_for(61'000);
  ASSERT_EQ(heard.renewals.size(), 1U);
  EXPECT_EQ(heard.heads.size(), 1U);
  EXPECT_TRUE(world.online());
}

TEST(ListenerRenewal, OfATokenThatHasNoSuccessorIsSaidOnceAMinute) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 600;
  world.auth.ends = true;
  world.start_listener();
  world.world.run_for(599'000);
  EXPECT_EQ(failures(world), 0U);
  world.world.run_for(301'000);
  EXPECT_TRUE(heard.renewals.empty());
  EXPECT_GE(failures(world), 5U);
  EXPECT_LE(failures(world), 12U);
  EXPECT_EQ(world.log.count("why=the auth plugin has no token that lasts longer"), failures(world));
}

TEST(ListenerRenewal, APluginThatNeverAnswersCostsADeadlineAndALine) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 600;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.auth.silent = true;
  world.world.run_for(450'000 + world.limits.handshake_ms + 2'000);
  EXPECT_EQ(failures(world), 1U);
  EXPECT_EQ(world.log.count("why=plugin silent has not completed its call"), 1U);
  EXPECT_TRUE(world.online());
  world.auth.silent = false;
  world.world.run_for(60'000);
  EXPECT_EQ(heard.renewals.size(), 1U);
}

TEST(ListenerRenewal, AListenerMayEndWhileThePluginIsAsked) {
  for (const bool drained : {true, false}) {
    RoleWorld world;
    Heard heard(world);
    world.auth.life_s = 600;
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.auth.silent = true;
    world.world.run_for(452'000);
    if (drained) {
      world.listener->drain();
    } else {
      world.listener->drop();
    }
    ASSERT_TRUE(world.run_until([&] { return world.stopped; }, 12'000));
    EXPECT_EQ(failures(world), 0U);
    EXPECT_EQ(world.end(), "");
  }
}

TEST(ListenerRenewal, ARelayThatIsLostWhileThePluginIsAskedIsFoundAgain) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 600;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.auth.silent = true;
  world.world.run_for(452'000);
  world.relay.drop_all();
  world.auth.silent = false;
  ASSERT_TRUE(world.run_until([&] { return heard.heads.size() == 2; }, 5'000));
  ASSERT_TRUE(world.run_until([&] { return world.online(); }, 5'000));
  EXPECT_EQ(heard.heads[1], "listen alpha token0.2");
}

TEST(ListenerRenewal, AProtocolWithoutOneKeepsItsChannel) {
  RoleWorld world;
  Heard heard(world);
  world.transport.renews = false;
  world.auth.life_s = 600;
  world.start_listener();
  world.world.run_for(1'200'000);
  EXPECT_TRUE(heard.renewals.empty());
  EXPECT_EQ(failures(world), 0U);
  EXPECT_TRUE(world.online());
}

TEST(ListenerRenewal, TheWallClockIsLookedAtAgain) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 36'000;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  world.world.jump_wall(30'000);
  world.world.run_for(61'000);
  EXPECT_EQ(heard.renewals.size(), 1U);
}

TEST(ListenerRenewal, AChannelThatWasClosedOverItsTokenComesBackWithAnother) {
  for (const bool over_its_token : {true, false}) {
    RoleWorld world(1, 2);
    Heard heard(world);
    world.transport.after_close = over_its_token ? Retry::kNewToken : Retry::kBackoff;
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.channel()->finish();
    ASSERT_TRUE(world.run_until([&] { return heard.heads.size() == 2; }, 5'000));
    EXPECT_EQ(heard.heads[1], over_its_token ? "listen alpha token1" : "listen alpha token0");
    EXPECT_EQ(world.auth.refusals, over_its_token ? 1U : 0U);
  }
}

TEST(ListenerRenewal, ThePluginHearsWhichTokenTheRelayRefused) {
  RoleWorld world;
  Heard heard(world);
  world.transport.after_close = Retry::kNewToken;
  world.auth.life_s = 600;
  world.start_listener();
  world.world.run_for(452'000);
  ASSERT_EQ(heard.renewals, std::vector<std::string>{"token0.2"});
  world.channel()->finish();
  ASSERT_TRUE(world.run_until([&] { return heard.heads.size() == 2; }, 5'000));
  EXPECT_EQ(world.auth.refused_id, 200U); // the double's number of its second token
}

TEST(ListenerRenewal, AnotherPluginHearsNothingOfATokenThatItDidNotMake) {
  RoleWorld world;
  Heard heard(world);
  world.transport.after_close = Retry::kNewToken;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  TableAuth other(*world.shard, 2);
  world.listener->use(
      {*world.shard, world.transport, other, world.resolver, nullptr, world.digests, &world.limits},
      world.listener_options);
  world.channel()->finish();
  ASSERT_TRUE(world.run_until([&] { return heard.heads.size() == 2; }, 5'000));
  EXPECT_EQ(other.refusals + world.auth.refusals, 0U);
  EXPECT_EQ(heard.heads[1], "listen alpha token0");
  EXPECT_EQ(world.end(), "");
}

TEST(ListenerRenewal, AfterAnUpdateTheNewKeySignsAtOnce) {
  RoleWorld world;
  Heard heard(world);
  world.auth.life_s = 600;
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  TableAuth other(*world.shard, 1);
  other.life_s = 6'000;
  world.listener->use(
      {*world.shard, world.transport, other, world.resolver, nullptr, world.digests, &world.limits},
      world.listener_options);
  world.world.run_for(2'000);
  EXPECT_EQ(other.asked, 1U);
  EXPECT_EQ(heard.renewals.size(), 1U); // though each double numbers its first token alike
  EXPECT_EQ(world.end(), "");
}

} // namespace
} // namespace culvert::test
