// What a half-closed tunnel still notices, and what stands still in it; on the simulated clock.
#include "link/websocket.hpp"

#include "unit/sim/sim_tools.hpp"
#include "unit/tunnel/tunnel_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

using How = EndingRecord::How;

constexpr std::uint64_t kHourMs = 3'600'000;

class HalfClosed : public testing::TestWithParam<SideKind> {
protected:
  void SetUp() override {
    TunnelLab::End first = lab.connect(SideKind::kTcp);
    TunnelLab::End second = lab.connect(GetParam());
    app_local = first.peer->local_address();
    app_peer = first.peer->peer_address();
    app = std::make_unique<LinkUser>(std::move(first.peer), 1, 2);
    target = std::make_unique<LinkUser>(std::move(second.peer), 2, 1);
    under_test = std::make_unique<TunnelUnderTest>(lab.shard(), std::move(first.tunnel_end),
                                                   std::move(second.tunnel_end));
    under_test->tunnel->start();
  }
  void TearDown() override {
    if (!under_test->ended) {
      under_test->tunnel->drop({});
    }
    for (LinkUser *user : {app.get(), target.get()}) {
      if (!user->over() && !user->dropped.completion.in_flight()) {
        user->drop();
      }
    }
    ASSERT_TRUE(world->sim.run_until(
        [&] { return under_test->ended && app->over() && target->over(); }, kHourMs));
    EXPECT_TRUE(app->intact() && target->intact());
  }
  /// The app has said all it has to say, and the target has heard it.
  void half_close() {
    app->finish();
    target->read_to();
    ASSERT_TRUE(lab.run_until([&] { return target->end() != nullptr; }));
    world->sim.run_for(1'000);
  }
  bool ends_within(std::uint64_t most_ms) {
    return world->sim.run_until([&] { return under_test->ended; }, most_ms);
  }
  void expect_aborted_by(const std::string &by, Source source, Code code) {
    EXPECT_EQ(word(under_test->record.how), word(How::kAborted));
    EXPECT_EQ(under_test->record.by, by);
    EXPECT_EQ(word(under_test->record.status.source), word(source));
    EXPECT_EQ(under_test->record.status.code, code) << under_test->record.status.message;
  }

  TestWorld *world = new TestWorld; // the lab's
  TunnelLab lab{std::unique_ptr<IoWorld>(world)};
  std::unique_ptr<TunnelUnderTest> under_test;
  std::unique_ptr<LinkUser> app;
  std::unique_ptr<LinkUser> target;
  Address app_local;
  Address app_peer;
};

TEST_P(HalfClosed, SilenceOfAnHourAbortsBothSides) {
  half_close();
  app->read_to();
  ASSERT_FALSE(ends_within(ShardLimits{}.half_closed_idle_ms - 10'000));
  ASSERT_TRUE(world->sim.run_until([&] { return app->end() != nullptr; }, 60'000));
  EXPECT_TRUE(app->end()->aborted);
  target->close();
  ASSERT_TRUE(ends_within(60'000));
  expect_aborted_by("host", Source::kLocal, Code::kTimeout);
  EXPECT_EQ(under_test->record.status.message,
            "half-closed and silent for " + std::to_string(ShardLimits{}.half_closed_idle_ms) +
                " ms (half_closed_idle_ms)");
}

TEST_P(HalfClosed, AByteNowAndThenKeepsItForHours) {
  half_close();
  app->read_to();
  for (std::size_t hour = 1; hour <= 10; ++hour) {
    target->write_to(hour);
    ASSERT_FALSE(ends_within(kHourMs * 9 / 10)) << hour;
    EXPECT_EQ(app->bytes_read(), hour);
  }
  target->finish();
  ASSERT_TRUE(lab.run_until([&] { return app->end() != nullptr; }));
  EXPECT_FALSE(app->end()->aborted);
  app->close();
  target->close();
  ASSERT_TRUE(ends_within(60'000));
  EXPECT_EQ(under_test->record.how, How::kFinished);
  EXPECT_STREQ(under_test->record.by, "app");
}

TEST_P(HalfClosed, ADeadPeerBehindItsOwnEndIsSeenAtOnce) {
  half_close();
  app->drop(); // a reset: nobody reads this side any more
  world->sim.run_for(1'000);
  target->close();
  ASSERT_TRUE(ends_within(20'000));
  expect_aborted_by("app", Source::kPlugin, Code::kReset);
}

TEST_P(HalfClosed, AVanishedPeerIsFoundByKeepalive) {
  half_close();
  const std::optional<Socket> socket = world->sim.find(app_local, app_peer);
  ASSERT_TRUE(socket);
  world->sim.lose(*socket);
  world->sim.run_for(200'000);
  target->close();
  ASSERT_TRUE(ends_within(60'000));
  expect_aborted_by("app", Source::kPlugin, Code::kReset);
}

TEST_P(HalfClosed, AVanishedPeerOfAnOpenTunnelIsFoundByKeepalive) {
  const std::optional<Socket> socket = world->sim.find(app_local, app_peer);
  ASSERT_TRUE(socket);
  world->sim.lose(*socket);
  target->read_to();
  ASSERT_TRUE(world->sim.run_until([&] { return target->end() != nullptr; }, 1'000 * 200));
  EXPECT_TRUE(target->end()->aborted);
  target->close();
  ASSERT_TRUE(ends_within(60'000));
  expect_aborted_by("app", Source::kPlugin, Code::kTimeout);
}

/// It waits until what it has written is read, and reads nothing before: many servers do.
TEST_P(HalfClosed, ADeadPeerEndsATunnelWhoseOtherSideDoesNotRead) {
  app->write_to(20 * kMegabyte);
  target->write_to(20 * kMegabyte);
  world->sim.run_for(1'000); // both directions are stuck
  app->drop();
  ASSERT_FALSE(ends_within(ShardLimits{}.abort_stall_ms - 1'000));
  ASSERT_TRUE(ends_within(ShardLimits{}.abort_stall_ms + 10'000));
  EXPECT_EQ(word(under_test->record.how), word(How::kDropped));
  EXPECT_EQ(under_test->record.by, std::string("app"));
  EXPECT_EQ(under_test->record.status.code, Code::kReset);
}

/// psql in a pager: nothing is read for hours, and nothing breaks; what is held stays bounded.
TEST_P(HalfClosed, AReaderThatSleepsForHoursLosesNothing) {
  target->write_to(20 * kMegabyte);
  app->write_to(20 * kMegabyte);
  std::size_t most = 0;
  for (std::size_t hour = 1; hour <= 6; ++hour) {
    ASSERT_FALSE(ends_within(kHourMs));
    most = std::max(most, under_test->tunnel->held());
    app->read_to(hour * kMegabyte);
    target->read_to(hour * kMegabyte);
  }
  EXPECT_GT(most, 100'000U); // it was stuck, both ways
  EXPECT_LE(most, kTunnelHeldBytes);
  EXPECT_LE(lab.shard().held.peak(), kTunnelHeldBytes);
  app->read_to();
  target->read_to();
  ASSERT_TRUE(lab.run_until([&] {
    return app->bytes_read() == 20 * kMegabyte && target->bytes_read() == 20 * kMegabyte;
  }));
  EXPECT_LE(lab.shard().held.peak(), kTunnelHeldBytes);
}

/// Its pings would keep the kernel's own probes away, and retransmissions go on for a quarter hour.
TEST(PingedTunnel, APeerThatVanishedIsGivenUpAsSoonAsAProbeWouldHave) {
  constexpr std::uint64_t kPingMs = 30'000;
  auto *world = new TestWorld; // the lab's
  TunnelLab lab{std::unique_ptr<IoWorld>(world)};
  TunnelLab::End end = lab.connect(SideKind::kTcp);
  const Address near = end.tunnel_end->local_address();
  const Address far = end.tunnel_end->peer_address();
  const WebSocketOptions options{WebSocketRole::kServer, false, {kPingMs, false}};
  LinkUser user(std::make_unique<WebSocketLink>(lab.shard(), std::move(end.tunnel_end), options), 1,
                2);
  LinkUser peer(std::move(end.peer), 2, 1);
  user.read_to();
  world->sim.run_for(kHourMs);
  EXPECT_EQ(user.end(), nullptr); // it answers no ping, but its kernel takes them
  world->sim.lose(*world->sim.find(far, near));
  const std::uint64_t lost_ns = world->sim.now_ns();
  ASSERT_TRUE(world->sim.run_until([&] { return user.end() != nullptr; }, kHourMs));
  EXPECT_TRUE(user.end()->aborted);
  EXPECT_EQ(user.end()->status.code, Code::kTimeout);
  EXPECT_LE((world->sim.now_ns() - lost_ns) / 1'000'000U, kSilentPeerMs + 3 * kPingMs);
  user.drop();
  peer.drop();
  ASSERT_TRUE(world->sim.run_until([&] { return user.over() && peer.over(); }, kHourMs));
}

INSTANTIATE_TEST_SUITE_P(Targets, HalfClosed,
                         testing::Values(SideKind::kTcp, SideKind::kTlsClient,
                                         SideKind::kWebSocketClient),
                         &side_name);

} // namespace
} // namespace culvert::test
