// One role of an engine is stopped or changed while the others go on: from a host's own loop and
// with the engine's threads.
#include "unit/engine/roles_world.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <functional>
#include <numeric>
#include <poll.h>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>

namespace culvert::test {
namespace {

std::string way_of(const testing::TestParamInfo<RolesTest::ParamType> &info) {
  const auto [by_host, backend] = info.param;
  return std::string(by_host ? "ByAHost" : "ByThreads") +
         (backend == Backend::kUring ? "OnUring" : "OnEpoll");
}

INSTANTIATE_TEST_SUITE_P(Driven, RolesTest,
                         testing::Combine(testing::Bool(), testing::ValuesIn(kBackends)), way_of);

TEST_P(RolesTest, ACheckFindsWhatAStartWouldAndStartsNothing) {
  const auto says = [](const Status &status, const std::string &part) {
    EXPECT_EQ(status.source == Source::kConfig || status.source == Source::kLocal, true);
    EXPECT_NE(status.message.find(part), std::string::npos) << status.message;
  };
  RelayConfig relay_config = setting.relay();
  relay_config.bind.port = port; // in use, which only a start can see
  EXPECT_TRUE(engine->check(relay_config).ok());
  EXPECT_TRUE(engine->check(setting.listener(port, echo.port())).ok());
  EXPECT_TRUE(engine->check(setting.sender(port)).ok());
  relay_config.tls_certificate_file = "/no/relay.pem";
  says(engine->check(relay_config), "/no/relay.pem");
  relay_config = setting.relay();
  relay_config.bind = {"a.name", 1, ""};
  says(engine->check(relay_config), "bind 'a.name:1' is a name");
  says(engine->check(setting.listener(port, 0)), "has port 0");
  SenderConfig sender_config = setting.sender(port);
  sender_config.ca_file = "/no/ca.pem";
  says(engine->check(sender_config), "/no/ca.pem");
  EXPECT_EQ(engine->stats(sender + 1).state, State::kStopped) << "there is no further role";
}

TEST_P(RolesTest, OneThatIsStoppedEndsAndTheOthersGoOn) {
  const RoleId other = engine->start_sender(setting.sender(port)).value();
  App stays(engine->bound(other).port);
  ASSERT_EQ(answer(stays, "before"), "before");
  App goes(engine->bound(sender).port);
  // The echo serves one connection after the other: this tunnel stands, and nothing answers in it.
  ASSERT_TRUE(engine->stop(sender).ok());
  ASSERT_TRUE(engine->wait_for(sender, State::kStopped, kPatienceMs));
  meanwhile([&] { EXPECT_EQ(goes.how_it_ended(), ECONNRESET); });
  EXPECT_FALSE(engine->stopped());
  EXPECT_EQ(engine->stats(other).state, State::kOnline);
  EXPECT_EQ(answer(stays, "after"), "after");
  EXPECT_NE(engine->bound(sender).port, 0);
  EXPECT_NE(engine->stop(sender).message.find("no running role"), std::string::npos);
  EXPECT_FALSE(engine->update(sender, setting.sender(port)).ok());
  SenderConfig successor = setting.sender(port);
  successor.bind = engine->bound(sender); // its address is free
  EXPECT_TRUE(engine->start_sender(successor).ok());
  engine->drop();
  EXPECT_TRUE(engine->wait_stopped(kPatienceMs));
}

TEST_P(RolesTest, WhatAStoppedRoleCountedStays) {
  ASSERT_EQ(answer(sender), "question");
  ASSERT_TRUE(engine->stop(sender).ok());
  ASSERT_TRUE(engine->wait_for(sender, State::kStopped, kPatienceMs));
  EXPECT_EQ(engine->stats(sender).tunnels_ended, 1U);
  EXPECT_EQ(engine->stats(sender).bytes_in, 8U);
}

TEST_P(RolesTest, ASnapshotHasEveryRoleThatRunsAndEveryShard) {
  App app(engine->bound(sender).port);
  ASSERT_EQ(answer(app, "question"), "question");
  const Snapshot all = engine->snapshot();
  EXPECT_EQ(all.not_ready(), "");
  EXPECT_EQ(all.shards.size(), driven_by_host ? 1U : 2U);
  ASSERT_EQ(all.roles.size(), 3U);
  for (const RoleSnapshot &role : all.roles) {
    EXPECT_EQ(role.stats.state, State::kOnline);
    EXPECT_GE(role.stats.since_s, all.started_s);
    EXPECT_LE(role.stats.since_s, all.taken_s);
    EXPECT_EQ(role.stats.tunnels_open, 1U) << role.id;
    EXPECT_EQ(role.stats.bytes_in, 8U) << role.id;
    EXPECT_GE(role.stats.turns, 1U) << role.id; // the way back may not be counted yet
  }
  ASSERT_EQ(all.roles[0].entities.size(), 1U);
  EXPECT_EQ(all.roles[0].entities[0].listeners, 1U);
  EXPECT_EQ(all.roles[0].entities[0].tunnels, 1U);
  EXPECT_EQ(all.roles[1].stats.channels_registered, 1U);
  EXPECT_GT(all.roles[1].stats.token_expires_s, all.taken_s);
  const std::vector<std::string> steps[] = {
      {"admitted", "met"}, {"fetched", "target"}, {"dialled", "queued"}};
  for (std::size_t i = 0; i < all.roles.size(); ++i) {
    std::vector<std::string> seen;
    for (const auto &[step, times] : all.roles[i].stats.setup_times) {
      seen.push_back(step);
      EXPECT_EQ(std::accumulate(times.counts.begin(), times.counts.end(), 0U), 1U) << step;
      EXPECT_GE(times.sum_s, 0);
      EXPECT_LT(times.sum_s, 3'600) << step << ": a step ends after it began";
    }
    EXPECT_EQ(seen, steps[i]);
  }
}

TEST_P(RolesTest, ASnapshotCountsFailuresByCodeAndLeavesStoppedRolesOut) {
  ASSERT_TRUE(engine->update(sender, with_key(setting.sender(port), "another key")).ok());
  ASSERT_EQ(answer(sender), "");
  Snapshot all = engine->snapshot();
  EXPECT_EQ(all.roles[0].stats.failures.at("token-signature"), 1U);
  EXPECT_EQ(all.roles[2].stats.failures.size(), 1U);
  EXPECT_FALSE(all.roles[2].stats.last_failure.empty());
  ASSERT_TRUE(engine->stop(sender).ok());
  ASSERT_TRUE(engine->wait_for(sender, State::kStopped, kPatienceMs));
  all = engine->snapshot();
  EXPECT_EQ(all.roles.size(), 2U);
}

TEST_P(RolesTest, ARelayRefusesTheOldKeyTakesTheNewAndHarmsNoTunnel) {
  App old(engine->bound(sender).port);
  ASSERT_EQ(answer(old, "before"), "before");
  const Status updated = engine->update(relay, relay_with_key("another key"));
  ASSERT_TRUE(updated.ok()) << updated.message;
  EXPECT_EQ(answer(old, "after"), "after");
  old.finish(); // the echo takes the next one
  EXPECT_EQ(answer(sender), "");
  EXPECT_EQ(engine->stats(sender).setups_failed, 1U);
  ASSERT_TRUE(engine->update(sender, with_key(setting.sender(port), "another key")).ok());
  EXPECT_EQ(answer(sender), "question");
  EXPECT_EQ(engine->stats(listener).state, State::kOnline) << "its channel stands";
}

TEST_P(RolesTest, AnEntityThatARelayHasNoMoreLosesItsListenersAndKeepsItsTunnels) {
  App old(engine->bound(sender).port);
  ASSERT_EQ(answer(old, "before"), "before");
  RelayConfig changed = setting.relay();
  changed.entities.front().path = "other";
  ASSERT_TRUE(engine->update(relay, changed).ok());
  ASSERT_TRUE(engine->wait_for(listener, State::kOffline, kPatienceMs));
  EXPECT_EQ(answer(old, "after"), "after");
  ASSERT_TRUE(engine->update(relay, setting.relay()).ok());
  EXPECT_TRUE(engine->wait_for(listener, State::kOnline, kPatienceMs))
      << engine->stats(listener).last_failure;
}

TEST_P(RolesTest, ARelaysNextConnectionMeetsItsNewCertificate) {
  ASSERT_EQ(answer(sender), "question"); // which leaves a session that could be resumed
  const Setting other;                   // an authority of its own
  RelayConfig changed = setting.relay();
  changed.tls_certificate_file = other.folder + "/relay.pem";
  changed.tls_key_file = other.folder + "/relay.key";
  ASSERT_TRUE(engine->update(relay, changed).ok());
  EXPECT_EQ(answer(sender), "");
  EXPECT_NE(engine->stats(sender).last_failure.find("certificate"), std::string::npos)
      << engine->stats(sender).last_failure;
  // The listener fetches over a connection of its own.
  ListenerConfig trusted = setting.listener(port, echo.port());
  trusted.ca_file = other.folder + "/ca.pem";
  ASSERT_TRUE(engine->update(listener, trusted).ok());
  SenderConfig trusting = setting.sender(port);
  trusting.ca_file = other.folder + "/ca.pem";
  ASSERT_TRUE(engine->update(sender, trusting).ok());
  EXPECT_EQ(answer(sender), "question");
}

TEST_P(RolesTest, AListenersNextOfferGoesToItsNewTargetAndItsNextChannelHasItsNewKey) {
  App old(engine->bound(sender).port);
  ASSERT_EQ(answer(old, "before"), "before"); // and keeps the first echo from serving others
  ListenerConfig changed = with_key(setting.listener(port, other_echo.port()), "another key");
  const Status updated = engine->update(listener, changed);
  ASSERT_TRUE(updated.ok()) << updated.message;
  EXPECT_EQ(answer(sender), "question");
  EXPECT_EQ(answer(old, "after"), "after");
  ASSERT_TRUE(engine->stop(relay).ok());
  ASSERT_TRUE(engine->wait_for(relay, State::kStopped, kPatienceMs));
  ASSERT_TRUE(engine->wait_for(listener, State::kOffline, kPatienceMs));
  RelayConfig successor = relay_with_key("another key");
  successor.bind = engine->bound(relay);
  ASSERT_TRUE(engine->start_relay(successor).ok());
  EXPECT_TRUE(engine->wait_for(listener, State::kOnline, kPatienceMs))
      << engine->stats(listener).last_failure;
}

TEST_P(RolesTest, AMistakeInAnUpdateChangesNothingAndIsNamed) {
  App old(engine->bound(sender).port); // keeps the first echo, so that a new target would show
  ASSERT_EQ(answer(old, "before"), "before");
  const std::size_t before = open_descriptors();
  for (const std::vector<Mistake> &mistakes :
       {relay_mistakes(), listener_mistakes(), sender_mistakes()}) {
    for (const Mistake &mistake : mistakes) {
      const Status status = mistake.update();
      EXPECT_FALSE(status.ok()) << mistake.part;
      EXPECT_NE(status.message.find(mistake.part), std::string::npos) << status.message;
      EXPECT_EQ(open_descriptors(), before) << mistake.part;
    }
  }
  EXPECT_EQ(answer(old, "after"), "after");
  old.finish();
  EXPECT_EQ(answer(sender), "question");
  EXPECT_EQ(engine->stats(sender).setups_failed, 0U);
}

TEST_P(RolesTest, AnIdThatNeverWasIsAnswered) {
  constexpr RoleId kNobody = 99;
  EXPECT_EQ(engine->stats(kNobody).state, State::kStopped);
  EXPECT_EQ(engine->bound(kNobody).port, 0);
  EXPECT_NE(engine->stop(kNobody).message.find("no running role 99"), std::string::npos);
  EXPECT_NE(engine->update(kNobody, setting.relay()).message.find("no running role 99"),
            std::string::npos);
  EXPECT_FALSE(engine->wait_for(kNobody, State::kOnline, 0));
  EXPECT_EQ(engine->shard_stats(99).operations, 0U);
}

// --- limits through the configuration ------------------------------------------------------------

TEST(EngineLimits, OutOfTheirRangeStartNothing) {
  SilentLog log;
  EngineConfig config = engine_config();
  config.limits.held_bytes = 1;
  EXPECT_NE(Engine::create(config, log).status().message.find("limit 'held_bytes' is 1 bytes"),
            std::string::npos);
}

TEST_P(RolesTest, LimitsOfASenderAreItsOwn) {
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent, 16), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr *>(&address), &size), 0);
  SenderConfig config = setting.sender(ntohs(address.sin_port));
  config.limits.handshake_ms = 1'000;
  const RoleId waits = engine->start_sender(config).value();
  EXPECT_EQ(answer(waits), "");
  EXPECT_EQ(engine->stats(waits).last_failure, "tls took longer than 1 s");
  ::close(silent);
}

TEST_P(RolesTest, LimitsOfARelayAreItsOwnAndChangeWithIt) {
  RelayConfig changed = setting.relay();
  changed.limits.unauthenticated_per_source = 1;
  ASSERT_TRUE(engine->update(relay, changed).ok());
  meanwhile([&] {
    App one(port);
    App other(port); // shards may take them in another order
    EXPECT_TRUE(one_was_reset(one, other));
  });
}

} // namespace
} // namespace culvert::test
