// Three tunnels in one simulated world, as sender, relay and listener are; and tunnels whose links
// come from such roles in odd states.
#include "unit/sim/sim_tools.hpp"
#include "unit/tunnel/tunnel_world.hpp"

namespace culvert::test {
namespace {

using How = EndingRecord::How;

/// app - tcp - sender = TLS, WebSocket = relay = TLS, WebSocket = listener - tcp - target
class Chain : public testing::TestWithParam<SideKind> {
protected:
  void SetUp() override {
    TunnelLab::End app_side = lab.connect(SideKind::kTcp);
    TunnelLab::End up = lab.connect(GetParam());
    TunnelLab::End down = lab.connect(GetParam());
    TunnelLab::End target_side = lab.connect(SideKind::kTcp);
    Shard &other = lab.other_shard();
    sender = std::make_unique<TunnelUnderTest>(lab.shard(), std::move(app_side.tunnel_end),
                                               std::move(up.tunnel_end));
    relay = std::make_unique<TunnelUnderTest>(other, std::move(up.peer), std::move(down.peer));
    listener = std::make_unique<TunnelUnderTest>(lab.shard(), std::move(down.tunnel_end),
                                                 std::move(target_side.tunnel_end));
    app = std::make_unique<LinkUser>(std::move(app_side.peer), 1, 2);
    target = std::make_unique<LinkUser>(std::move(target_side.peer), 2, 1);
    for (TunnelUnderTest *one : {sender.get(), relay.get(), listener.get()}) {
      one->tunnel->start();
    }
  }
  void TearDown() override {
    for (LinkUser *user : {app.get(), target.get()}) {
      if (!user->over() && !user->dropped.completion.in_flight()) {
        user->drop();
      }
      ASSERT_TRUE(lab.run_until([&] { return user->over(); }));
      EXPECT_TRUE(user->intact());
    }
    ASSERT_TRUE(lab.run_until([&] { return all_ended(); }));
    app.reset();
    target.reset();
    EXPECT_EQ(lab.leaks(), "");
  }
  [[nodiscard]] bool all_ended() const { return sender->ended && relay->ended && listener->ended; }
  void expect_all(How how) {
    ASSERT_TRUE(lab.run_until([&] { return all_ended(); }));
    for (const TunnelUnderTest *one : {sender.get(), relay.get(), listener.get()}) {
      EXPECT_EQ(word(one->record.how), word(how)) << one->record.status.message;
    }
  }

  TunnelLab lab{std::make_unique<TestWorld>(5, SimFaults::harmless(2'000))};
  std::unique_ptr<TunnelUnderTest> sender;
  std::unique_ptr<TunnelUnderTest> relay;
  std::unique_ptr<TunnelUnderTest> listener;
  std::unique_ptr<LinkUser> app;
  std::unique_ptr<LinkUser> target;
};

TEST_P(Chain, CarriesBytesAndEndsBothWays) {
  app->finish_after_write = true;
  app->write_to(10 * kMegabyte + 3);
  target->read_to();
  app->read_to();
  target->write_to(kMegabyte);
  ASSERT_TRUE(lab.run_until([&] { return target->end() != nullptr; }));
  EXPECT_FALSE(target->end()->aborted);
  EXPECT_EQ(target->bytes_read(), 10 * kMegabyte + 3);
  target->finish_after_write = true;
  target->write_to(5 * kMegabyte);
  ASSERT_TRUE(lab.run_until([&] { return app->end() != nullptr; }));
  EXPECT_FALSE(app->end()->aborted);
  EXPECT_EQ(app->bytes_read(), 5 * kMegabyte);
  app->close();
  target->close();
  expect_all(How::kFinished);
  EXPECT_EQ(sender->record.bytes_from_first, 10 * kMegabyte + 3);
  EXPECT_EQ(relay->record.bytes_from_first, 10 * kMegabyte + 3);
  EXPECT_EQ(listener->record.bytes_from_second, 5 * kMegabyte);
  if (GetParam() == SideKind::kWebSocketClient) {
    EXPECT_EQ(relay->record.code, 1'000); // the app's FIN
  }
}

TEST_P(Chain, AnAbortArrivesBehindEveryByte) {
  for (const bool from_app : {true, false}) { // each with a chain of its own
    LinkUser *actor = from_app ? app.get() : target.get();
    LinkUser &reader = from_app ? *target : *app;
    actor->write_to(8 * kMegabyte);
    ASSERT_TRUE(
        lab.run_until([&] { return relay->tunnel->held() > 0 && actor->link().held() > 0; }));
    actor->write_to(actor->written());
    actor->abort();
    reader.how.turn_bytes = 30'000;
    reader.read_to();
    ASSERT_TRUE(lab.run_until([&] { return reader.end() != nullptr; }));
    EXPECT_TRUE(reader.end()->aborted);
    EXPECT_EQ(reader.bytes_read(), actor->written());
    reader.close();
    expect_all(How::kAborted);
    if (from_app) {
      EXPECT_STREQ(sender->record.by, "app");
      EXPECT_STREQ(relay->record.by, "app");
      EXPECT_STREQ(listener->record.by, "app");
      TearDown();
      SetUp();
    } else {
      EXPECT_STREQ(sender->record.by, "target");
      EXPECT_STREQ(listener->record.by, "target");
    }
  }
}

/// Each role's bytes wait for their own reader, never for room that another role's bytes take.
TEST_P(Chain, BudgetsThatAreOutCarryOnBothWays) {
  std::array<HeldBudget *, 2> budgets{&lab.shard().held, &lab.other_shard().held};
  std::array<std::size_t, 2> taken{};
  for (std::size_t i = 0; i < 2; ++i) {
    taken[i] = budgets[i]->available();
    budgets[i]->take(taken[i]);
  }
  app->write_to(3 * kMegabyte);
  target->write_to(2 * kMegabyte);
  lab.run_some(20'000);
  app->read_to(); // both directions are full by now
  target->read_to();
  EXPECT_TRUE(lab.run_until(
      [&] { return target->bytes_read() == 3 * kMegabyte && app->bytes_read() == 2 * kMegabyte; }));
  for (std::size_t i = 0; i < 2; ++i) {
    budgets[i]->give(taken[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Carriers, Chain,
                         testing::Values(SideKind::kTlsClient, SideKind::kWebSocketClient),
                         &side_name);

// --- links in odd states ------------------------------------------------------------------------

class OddLinks : public testing::Test {
protected:
  void begin(std::unique_ptr<Link> first, std::unique_ptr<Link> second) {
    under_test =
        std::make_unique<TunnelUnderTest>(lab.shard(), std::move(first), std::move(second));
    under_test->tunnel->start();
  }
  void end(LinkUser &user) {
    user.drop();
    ASSERT_TRUE(lab.run_until([&] { return user.over(); }));
  }
  TunnelLab lab{make_sim_world()};
  std::unique_ptr<TunnelUnderTest> under_test;
};

/// A peer's head and its close_notify may come in one segment, before there is a tunnel.
TEST_F(OddLinks, ALinkThatFinishedBeforeTheTunnelBegan) {
  for (const bool dropped_at_once : {false, true}) {
    TunnelLab::End tls = lab.connect(SideKind::kTlsServer);
    TunnelLab::End tcp = lab.connect(SideKind::kTcp);
    LinkUser client(std::move(tls.peer), 1, 2);
    LinkUser early(std::move(tls.tunnel_end), 2, 1);
    LinkUser target(std::move(tcp.peer), 2, 1);
    client.write_to(100);
    client.finish();
    early.read_to();
    ASSERT_TRUE(lab.run_until([&] { return early.end() != nullptr && client.finished.done(); }));
    begin(early.release(), std::move(tcp.tunnel_end));
    if (dropped_at_once) {
      under_test->tunnel->drop(
          Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "at once"));
    } else {
      target.read_to();
      ASSERT_TRUE(lab.run_until([&] { return target.end() != nullptr; }));
      EXPECT_FALSE(target.end()->aborted);
      target.finish_after_write = true;
      target.write_to(200'000);
      client.read_to();
      ASSERT_TRUE(lab.run_until([&] { return client.end() != nullptr; }));
      EXPECT_EQ(client.bytes_read(), 200'000U);
    }
    end(client);
    end(target);
    ASSERT_TRUE(lab.run_until([&] { return under_test->ended; }));
  }
}

} // namespace
} // namespace culvert::test
