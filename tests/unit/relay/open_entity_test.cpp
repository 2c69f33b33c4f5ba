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

TEST(RelayOpenEntity, MayBeClosedWhileTheRelayRuns) {
  RelayWorld world(with_open_alpha());
  EXPECT_EQ(world.answered_peer("connect path=alpha").answer, "no no-listener");
  world.use(test_options(2));
  world.world.run_for(10);
  EXPECT_EQ(world.answered_peer("connect path=alpha").answer, "no token-missing");
}

} // namespace
} // namespace culvert::test
