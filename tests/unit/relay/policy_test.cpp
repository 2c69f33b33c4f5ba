// A policy that is swapped while the relay runs: what begins from then on meets the new one, what
// runs keeps the one it began with, and nobody keeps a policy, or its secrets, for longer.
#include "unit/relay/relay_world.hpp"

namespace culvert::test {
namespace {

const char *const kListen = "listen path=alpha token=all id=L framing=messages";

WorldOptions options_with_rule(const std::string &rule, unsigned shards = 2) {
  WorldOptions options = test_options(shards);
  options.own_rules = {{rule, kRightManage, {}}};
  return options;
}

/// Fetches the channel's n-th offer; the answers of both.
void expect_joined(RelayWorld &world, Peer &channel, std::size_t offer, Peer &sender,
                   PeerWays ways = {}) {
  ASSERT_TRUE(world.run_until([&] { return !channel.capability(offer).empty(); }));
  Peer &fetcher = world.peer("accept framing=raw capability=" + channel.capability(offer), ways);
  EXPECT_EQ(world.answer_of(fetcher), "joined");
  EXPECT_EQ(world.answer_of(sender), "joined by the relay");
  sender.send("words");
  ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
  EXPECT_EQ(fetcher.messages[0].bytes, "words");
}

TEST(RelayPolicySwap, TheOldRuleIsRefusedTheNewOneGoesAndATunnelIsUnharmed) {
  RelayWorld world(options_with_rule("old"));
  Peer &channel = world.answered_peer("listen path=alpha token=rule:old id=L");
  Peer &sender = world.peer("connect path=alpha token=rule:old framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  Peer &fetcher = world.answered_peer("accept framing=raw capability=" + channel.capability());
  ASSERT_EQ(world.answer_of(sender), "joined by the relay");
  world.use(options_with_rule("new"));
  EXPECT_EQ(world.answered_peer("connect path=alpha token=rule:old").answer, "no token-signature");
  sender.send("still here");
  ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
  EXPECT_EQ(fetcher.messages[0].bytes, "still here");
  Peer &other = world.peer("connect path=alpha token=rule:new framing=raw");
  expect_joined(world, channel, 1, other);
}

/// One that is only in front of it in the path, and would match it, is another entity.
WorldOptions without_entity(const std::string &path) {
  WorldOptions options = test_options(2);
  options.entities = {{"alpha", {}}, {"alpha/below", {}}, {"beta", {}}};
  std::erase_if(options.entities, [&](const EntityOptions &each) { return each.path == path; });
  return options;
}

TEST(RelayPolicySwap, AnEntityThatIsRemovedEndsItsChannelsAndItsWaitsAndNoTunnel) {
  for (const std::string path : {"alpha", "alpha/below"}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) { // on one shard and across
      RelayWorld world(without_entity(""), seed);
      const std::string at = " path=" + path + " token=all framing=";
      Peer &one = world.answered_peer("listen" + at + "websocket id=one");
      Peer &joined = world.peer("connect" + at + "raw");
      ASSERT_TRUE(world.run_until([&] { return !one.capability().empty(); }));
      Peer &fetcher = world.answered_peer("accept framing=raw capability=" + one.capability());
      ASSERT_EQ(world.answer_of(joined), "joined by the relay");
      Peer &two = world.answered_peer("listen" + at + "websocket id=two");
      Peer &other = world.answered_peer("listen path=beta token=all framing=websocket id=other");
      Peer &waits = world.peer("connect" + at + "raw");
      const auto offer = [&] {
        return two.capability().empty() ? one.capability(1) : two.capability();
      };
      ASSERT_TRUE(world.run_until([&] { return !offer().empty(); }));
      world.use(without_entity(path));
      EXPECT_EQ(world.answer_of(waits), "no no-entity") << path << seed;
      for (Peer *channel : {&one, &two}) {
        ASSERT_TRUE(world.run_until([&] { return channel->heard_end.has_value(); }, 1'000));
        EXPECT_EQ(channel->heard_end->reason, "no-entity");
      }
      EXPECT_EQ(world.answered_peer("accept framing=raw capability=" + offer()).answer, "no gone");
      EXPECT_FALSE(other.heard_end.has_value());
      EXPECT_EQ(world.counters().listeners, 1U);
      EXPECT_EQ(world.counters().pending, 0U);
      EXPECT_EQ(world.tunnels(), 1U);
      joined.send("still here");
      ASSERT_TRUE(world.run_until([&] { return !fetcher.messages.empty(); }));
      EXPECT_EQ(fetcher.messages[0].bytes, "still here");
      EXPECT_EQ(world.end(), "");
    }
  }
}

WorldOptions without_alpha() {
  WorldOptions options = test_options(2);
  options.entities = {{"beta", {}}};
  return options;
}

TEST(RelayPolicySwap, TunnelsOfAnEntityThatIsGoneHaveTheGraceAndOthersGoOn) {
  constexpr std::uint64_t kGraceMs = 3'000;
  for (const bool comes_back : {false, true}) {
    WorldOptions options = test_options(2);
    options.shard_limits.drain_grace_ms = kGraceMs;
    RelayWorld world(options);
    Peer &alpha = world.answered_peer(kListen);
    Peer &beta = world.answered_peer("listen path=beta token=all id=M framing=messages");
    Peer &gone = world.peer("connect path=alpha token=all framing=raw");
    Peer &stays = world.peer("connect path=beta token=all framing=raw");
    expect_joined(world, alpha, 0, gone);
    expect_joined(world, beta, 0, stays);
    world.use(without_alpha());
    ASSERT_TRUE(world.run_until([&] { return alpha.heard_end.has_value(); }));
    world.run_until([] { return false; }, kGraceMs / 2);
    EXPECT_EQ(world.tunnels(), 2U);
    if (comes_back) {
      world.use(options);
    }
    world.run_until([] { return false; }, kGraceMs);
    EXPECT_EQ(world.tunnels(), comes_back ? 2U : 1U);
    EXPECT_EQ(gone.heard_end.has_value(), !comes_back);
    EXPECT_FALSE(stays.heard_end.has_value());
    EXPECT_FALSE(beta.heard_end.has_value());
    EXPECT_EQ(world.end(), "");
  }
}

TEST(RelayPolicySwap, AnEntityMayGiveItsSendersToTheListenerWithTheFewestTunnels) {
  WorldOptions options = test_options(2);
  options.entities[0].choice = ListenerChoice::kLeastTunnels;
  RelayWorld world(options);
  Peer *const channels[] = {&world.answered_peer("listen path=alpha token=all id=A"),
                            &world.answered_peer("listen path=alpha token=all id=B")};
  std::size_t offers[2] = {0, 0};
  for (std::size_t sent = 1; sent <= 12; ++sent) {
    Peer &sender = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] {
      return !channels[0]->capability(offers[0]).empty() ||
             !channels[1]->capability(offers[1]).empty();
    }));
    const std::size_t got = channels[0]->capability(offers[0]).empty() ? 1 : 0;
    expect_joined(world, *channels[got], offers[got], sender);
    ++offers[got];
    if (sent % 2 == 0) {
      EXPECT_EQ(offers[0], offers[1]);
    }
  }
}

TEST(RelayPolicySwap, ASenderIsRefusedWhicheverShardForgetsItsEntityFirst) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RelayWorld world(without_entity(""), seed);
    world.answered_peer("listen path=alpha token=all id=one");
    world.answered_peer("listen path=alpha token=all id=two");
    Peer &waits = world.peer("connect path=alpha token=all");
    ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 1; }));
    world.use(without_entity("alpha"), seed % 2);
    world.world.run_for(seed);
    world.use(without_entity("alpha"), 1 - seed % 2);
    const std::string answer = world.answer_of(waits);
    EXPECT_TRUE(answer == "no no-entity" || answer == "no no-listener") << answer;
    EXPECT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }, 1'000));
    EXPECT_EQ(world.end(), "");
  }
}

/// Their tokens were judged by the old policy, and they act when the new one is there.
TEST(RelayPolicySwap, WhoIsJudgedWhileItsEntityIsRemovedBeginsNothing) {
  for (const std::string head :
       {"listen path=alpha token=slow id=L", "connect path=alpha token=slow"}) {
    RelayWorld world(without_entity(""));
    world.answered_peer("listen path=alpha token=all id=one");
    Peer &late = world.peer(head);
    ASSERT_TRUE(world.run_until([&] { return world.counters().unauthenticated == 1; }));
    world.world.run_for(500);
    EXPECT_FALSE(late.answered());
    world.use(without_entity("alpha"));
    EXPECT_EQ(world.answer_of(late), "no no-entity") << head;
    EXPECT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }, 1'000));
    EXPECT_EQ(world.counters().pending, 0U);
  }
}

TEST(RelayPolicySwap, AnEntityWhosePathChangesOnlyItsCaseIsTheSame) {
  RelayWorld world(test_options(2));
  Peer &channel = world.answered_peer(kListen);
  Peer &waits = world.peer("connect path=alpha token=all framing=raw");
  ASSERT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
  WorldOptions other = test_options(2);
  other.entities[0].path = "ALPHA";
  world.use(other);
  expect_joined(world, channel, 0, waits);
  channel.send("renew all");
  ASSERT_TRUE(world.run_until([&] { return world.log.count("renewed its token") == 1; }));
  EXPECT_FALSE(channel.heard_end.has_value());
}

TEST(RelayPolicySwap, AListenerIsMetWhateverTheOrderOfTheProtocolsAndTheCaseOfItsPath) {
  RelayWorld world(test_options(2), 1, {}, true);
  const PeerWays ways{HeadForm::kMessage, nullptr, "test/1"};
  Peer &channel = world.peer(kListen, ways);
  ASSERT_EQ(world.answer_of(channel), "listening");
  WorldOptions other = test_options(2);
  other.entities = {{"ALPHA", {}}};
  world.protocols_reversed = true;
  world.use(other);
  for (std::size_t i = 0; i < 4; ++i) {
    Peer &sender = world.peer("connect path=alpha token=all framing=raw", ways);
    expect_joined(world, channel, i, sender, ways);
  }
}

/// The listener's connection begins at a shard with one policy and goes on at one with another.
TEST(RelayPolicySwap, AConnectionMovesBetweenShardsOfDifferentPolicies) {
  std::uint64_t moved = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RelayWorld world(test_options(2), seed);
    Peer &channel = world.answered_peer(kListen);
    Peer &before = world.peer("connect path=alpha token=all framing=raw");
    ASSERT_TRUE(world.run_until([&] { return !channel.capability(0).empty(); }));
    world.use(test_options(2), seed % 2);
    Peer &behind = world.peer("connect path=alpha token=all framing=raw");
    expect_joined(world, channel, 0, before);
    expect_joined(world, channel, 1, behind);
    moved += world.counters().tunnels.moved();
  }
  EXPECT_GT(moved, 5U);
}

TEST(RelayPolicySwap, LimitsHoldForWhatBeginsFromThenOn) {
  RelayWorld world(test_options(2));
  world.answered_peer(kListen);
  world.peer("connect path=alpha token=all");
  ASSERT_TRUE(world.run_until([&] { return world.counters().pending == 1; }));
  WorldOptions fewer = test_options(2);
  fewer.limits.pending_per_source = 1;
  world.use(fewer);
  EXPECT_EQ(world.answered_peer("connect path=alpha token=all").answer, "no overload");
}

TEST(RelayPolicySwap, APolicyAndItsSecretsLastAsLongAsWhatBeganWithIt) {
  SecretStore store;
  const auto with_secret = [&store] {
    WorldOptions options = test_options(2);
    auto lease = std::make_shared<SecretLease>(store);
    options.own_rules = {{"of_relay", kRightManage, {lease->add(Secret("key"))}}};
    options.secrets = std::move(lease);
    return options;
  };
  {
    RelayWorld world(with_secret(), 1, {}, true);
    Peer &channel = world.peer(kListen, PeerWays{});
    ASSERT_EQ(world.answer_of(channel), "listening");
    const std::weak_ptr<const RelayPolicy> first = world.policy;
    world.use(with_secret());
    const std::weak_ptr<const RelayPolicy> second = world.policy;
    EXPECT_FALSE(first.expired()) << "the channel began with it";
    EXPECT_EQ(store.size(), 2U);
    world.use(test_options(2));
    ASSERT_TRUE(world.run_until([&] { return second.expired(); }))
        << "the channel's token is judged by the latest";
    EXPECT_EQ(store.size(), 1U);
    Peer &sender = world.peer("connect path=alpha token=all framing=raw", PeerWays{});
    expect_joined(world, channel, 0, sender);
    channel.close();
    ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }));
    ASSERT_TRUE(world.run_until([&] { return first.expired(); })) << "a tunnel needs no policy";
    EXPECT_EQ(store.size(), 0U);
    EXPECT_EQ(world.tunnels(), 1U);
    world.drop();
    ASSERT_TRUE(world.run_until([&] { return world.all_done(); }));
    EXPECT_TRUE(world.policy.expired()) << "a relay that has stopped holds none";
  }
}

// --- limits that are times or sizes; those that count stand with what they refuse ----------------

TEST(RelayLimit, EachTimeIsRespected) {
  struct Row {
    std::uint64_t RelayLimits::*field;
    std::function<void(RelayWorld &, std::deque<RawPeer> &)> prepare;
    const char *log;
  };
  const auto offered = [](RelayWorld &world) -> Peer & {
    Peer &channel = world.answered_peer(kListen);
    world.peer("connect path=alpha token=all");
    EXPECT_TRUE(world.run_until([&] { return !channel.capability().empty(); }));
    return channel;
  };
  const Row rows[] = {
      {&RelayLimits::rendezvous_ms, [&](RelayWorld &world, auto &) { offered(world); },
       "no listener accepted within 2 s"},
      {&RelayLimits::goodbye_ms, [&](RelayWorld &world, auto &) { offered(world).finish(); },
       "has left, and did not come for it"},
      {&RelayLimits::handshake_ms,
       [](RelayWorld &world, std::deque<RawPeer> &raw) {
         raw.emplace_back(world.client_shard(), world.address, "");
       },
       "head took longer than 2 s"},
  };
  for (const Row &row : rows) {
    WorldOptions options = test_options(1);
    options.limits.*row.field = 2'000;
    RelayWorld world(options);
    std::deque<RawPeer> raw;
    row.prepare(world, raw);
    const std::uint64_t from_ns = world.world.now_ns();
    ASSERT_TRUE(world.run_until([&] { return world.log.count(row.log) > 0; })) << row.log;
    const std::uint64_t took_ms = (world.world.now_ns() - from_ns) / 1'000'000U;
    EXPECT_GE(took_ms, 1'900U) << row.log;
    EXPECT_LE(took_ms, 2'100U) << row.log;
    ASSERT_TRUE(world.run_until(
        [&] { return raw.empty() || (raw.front().ended && world.connections() == 0); }));
    world.world.run_for(10); // its link is gone
  }
}

TEST(RelayLimit, AMessageOfAListenerIsNoLargerThanItsProtocolAndTheRelayAllow) {
  for (const std::size_t size : {1'500U, 1'501U}) {
    WorldOptions options = test_options(1);
    options.limits.control_message_bytes = 1'500;
    RelayWorld world(options);
    Peer &channel = world.answered_peer(kListen);
    channel.send(std::string(size, 'x'));
    ASSERT_TRUE(world.run_until([&] { return channel.heard_end.has_value(); }));
    EXPECT_EQ(world.log.count("larger than 1500 bytes"), size > 1'500 ? 1U : 0U)
        << world.log.text();
  }
}

/// Of its shards: a listener that vanishes is noticed one ping and pong_ms later, and who does not
/// end behind its answer is given up after linger_ms.
TEST(RelayLimit, ThePongAndTheLingerOfAShardAreRespected) {
  WorldOptions options = test_options(1);
  options.shard_limits.pong_ms = 2'000;
  options.shard_limits.linger_ms = 1'000;
  RelayWorld world(options);
  world.peer("hello").reading = false;
  world.world.run_for(900);
  EXPECT_EQ(world.connections(), 1U);
  world.world.run_for(300);
  EXPECT_EQ(world.connections(), 0U);
  world.answered_peer("listen path=alpha token=all id=L framing=websocket pinged");
  world.world.lose("10.0.0.1", "10.0.0.2");
  const std::uint64_t from_ns = world.world.now_ns();
  ASSERT_TRUE(world.run_until([&] { return world.counters().listeners == 0; }, 17'100));
  EXPECT_GT(world.world.now_ns() - from_ns, 5'000'000'000U) << "it is the ping that finds it";
}

} // namespace
} // namespace culvert::test
