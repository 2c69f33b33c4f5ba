// An entity that needs no token of its senders (requires_client_authorization = false).
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

WorldOptions with_open_alpha() {
  WorldOptions options = test_options(2);
  options.entities[0].requires_client_authorization = false;
  return options;
}

TEST(RelayOpenEntity, LetsASenderInWhateverItsTokenIs) {
  for (const char *token : {"", "token=garbage", "token=expired", "token=silent", "token=all"}) {
    RelayWorld world(with_open_alpha());
    Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
    Peer &sender = world.peer("connect path=alpha/below framing=raw " + std::string(token));
    ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); })) << token;
    world.answered_peer("accept framing=raw capability=" + channel.capability());
    EXPECT_EQ(world.answer_of(sender), "joined by the relay");
    EXPECT_EQ(world.counters().unauthenticated, 0U);
  }
}

TEST(RelayOpenEntity, NeedsATokenOfItsListeners) {
  for (const char *token : {"", "token=garbage", "token=send"}) {
    RelayWorld world(with_open_alpha());
    const std::string head = "listen path=alpha id=L " + std::string(token);
    EXPECT_TRUE(world.answered_peer(head).answer.starts_with("no token-")) << token;
  }
}

TEST(RelayOpenEntity, OpensNoOther) {
  RelayWorld world(with_open_alpha());
  EXPECT_EQ(world.answered_peer("connect path=beta").answer, "no token-missing");
  EXPECT_EQ(world.answered_peer("connect path=nowhere").answer, "no token-missing");
}

TEST(RelayOpenEntity, SendersThatComeAndLeaveInALoopDoNotFillTheLog) {
  RelayWorld world(with_open_alpha());
  world.answered_peer("listen path=alpha token=all id=L");
  for (int i = 0; i < 100; ++i) {
    Peer &sender = world.peer("connect path=alpha framing=raw");
    ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 1; }));
    sender.drop();
    ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 0; }));
  }
  EXPECT_EQ(world.log.count("sender left before a listener came"), 100U);
  EXPECT_EQ(world.log.told("sender left before a listener came"), 16U + 2)
      << "and number 32 and 64";
}

TEST(RelayOpenEntity, SendersThatTheListenerRefusesInALoopDoNotFillTheLog) {
  RelayWorld world(with_open_alpha());
  Peer &channel = world.answered_peer("listen path=alpha token=all id=L");
  for (std::size_t i = 0; i < 40; ++i) {
    Peer &sender = world.peer("connect path=alpha framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(i).empty(); }));
    world.answered_peer("reject status=502 capability=" + channel.capability(i));
    ASSERT_EQ(world.answer_of(sender), "refused 502");
  }
  EXPECT_EQ(world.log.count("listener refused a sender"), 40U);
  EXPECT_EQ(world.log.told("listener refused a sender"), 16U + 1) << "and number 32";
}

TEST(RelayOpenEntity, MayBeClosedWhileTheRelayRuns) {
  RelayWorld world(with_open_alpha());
  EXPECT_EQ(world.answered_peer("connect path=alpha").answer, "no no-listener");
  world.use(test_options(2));
  world.world.run_for(10);
  EXPECT_EQ(world.answered_peer("connect path=alpha").answer, "no token-missing");
}

} // namespace
} // namespace culvert::test
