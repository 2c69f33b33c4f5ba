#include "link/tcp.hpp"

#include "support/sim/sim_io.hpp"
#include "unit/io/io_tools.hpp"
#include "unit/link/link_suite.hpp"

#include <cerrno>

namespace culvert::test {
namespace {

LinkPair tunnel_ends(LinkLab &lab) {
  return lab.tcp_pair(true);
}
LinkPair carriers(LinkLab &lab) {
  return lab.tcp_pair(false);
}
LinkPair unix_ends(LinkLab &lab) {
  return lab.tcp_pair(true, Address::Family::kUnix);
}

constexpr LinkTraits kTunnelEnd{.watch_sees_finish = true};
constexpr LinkTraits kCarrier{.abort_is_read = false, .watch_sees_finish = true};
constexpr LinkTraits kUnix{
    .abort_is_read = false, .drop_is_read = false, .watch_sees_finish = true};

INSTANTIATE_TEST_SUITE_P(
    Tcp, LinkSuite,
    testing::Values(LinkKind{"uring", &make_uring_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"uring_carrier", &make_uring_world, &carriers, kCarrier},
                    LinkKind{"uring_unix", &make_uring_world, &unix_ends, kUnix},
                    LinkKind{"epoll", &make_epoll_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"epoll_carrier", &make_epoll_world, &carriers, kCarrier},
                    LinkKind{"epoll_unix", &make_epoll_world, &unix_ends, kUnix},
                    LinkKind{"sim", &make_sim_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"sim_carrier", &make_sim_world, &carriers, kCarrier},
                    LinkKind{"sim_faulty", &make_faulty_sim_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"sim_unix", &make_sim_world, &unix_ends, kUnix}),
    kind_name);

/// What only a raw socket shows.
class TcpTest : public testing::TestWithParam<std::unique_ptr<IoWorld> (*)()> {
protected:
  /// A link and the plain socket at its other end.
  void connect() {
    pair = connected_pair(lab.world(), io());
    user = std::make_unique<LinkUser>(std::make_unique<TcpLink>(lab.shard(), pair.client), 1, 2);
  }
  void TearDown() override {
    if (!user->over()) {
      user->drop();
      ASSERT_TRUE(lab.run_until([&] { return user->over(); }));
    }
    user.reset();
    EXPECT_EQ(lab.leaks(), "");
  }
  Io &io() { return lab.shard().io; }

  LinkLab lab{GetParam()()};
  Pair pair;
  std::unique_ptr<LinkUser> user;
};

TEST_P(TcpTest, AnAbortOfATunnelEndIsAResetOnceEverythingArrived) {
  connect();
  user->link().end_tunnel_here();
  user->write_to(1'000);
  user->abort();
  ASSERT_TRUE(lab.run_until([&] { return user->over(); }));
  std::string text;
  EXPECT_EQ(receive_bytes(lab.world(), io(), pair.server, 1'000, text), 1'000);
  EXPECT_EQ(final_receive(lab.world(), io(), pair.server), -ECONNRESET);
  io().close(pair.server);
}

TEST_P(TcpTest, AnAbortOfACarrierIsAFinNeverAReset) {
  connect();
  user->write_to(1'000);
  user->abort();
  std::string text;
  EXPECT_EQ(receive_bytes(lab.world(), io(), pair.server, 1'000, text), 1'000);
  EXPECT_EQ(final_receive(lab.world(), io(), pair.server), 0);
  EXPECT_EQ(send_text(io(), pair.server, "more"), 4); // it is read and discarded
  EXPECT_EQ(io().shutdown_send(pair.server), 0);
  ASSERT_TRUE(lab.run_until([&] { return user->over(); }));
  EXPECT_EQ(final_receive(lab.world(), io(), pair.server), 0);
  io().close(pair.server);
}

TEST_P(TcpTest, ATunnelEndDestroyedUnendedResetsUntilBothDirectionsFinished) {
  for (const bool both_finished : {false, true}) {
    connect();
    user->link().end_tunnel_here();
    user->finish();
    if (both_finished) {
      EXPECT_EQ(io().shutdown_send(pair.server), 0);
      user->read_to();
      ASSERT_TRUE(lab.run_until([&] { return user->end() != nullptr; }));
    }
    ASSERT_TRUE(lab.run_until([&] { return user->finished.done(); }));
    EXPECT_EQ(final_receive(lab.world(), io(), pair.server), 0);
    user.reset(); // closes as a killed process would
    const Interest shown = both_finished ? Interest::kReadable : Interest::kBroken;
    EXPECT_GE(wait_for(lab.world(), io(), pair.server, shown), 0);
    const int sent = send_text(io(), pair.server, "x");
    EXPECT_EQ(sent, -EPIPE) << both_finished;
    io().close(pair.server);
  }
  connect();
  io().close(pair.server);
}

TEST_P(TcpTest, AResetThatASendConsumedStillReadsAsAborted) {
  connect();
  EXPECT_EQ(send_text(io(), pair.server, "x"), 1);
  EXPECT_GE(wait_for(lab.world(), io(), pair.client, Interest::kReadable), 0); // it has arrived
  user->link().watch(user->watching.completion);
  close_reset(io(), pair.server);
  ASSERT_TRUE(lab.run_until([&] { return user->watching.done(); }));
  user->write_to(10); // its send gets the error that a receive would have got
  ASSERT_TRUE(user->link().broken());
  EXPECT_EQ(user->link().broken()->code, Code::kReset);
  Event receiving;
  std::size_t read = 0;
  receiving.then = [&](int) {
    Chunk chunk;
    while (user->link().take(chunk, Take{})) {
      read += chunk.size;
    }
    if (user->end() == nullptr) {
      user->link().receive(receiving.completion);
    }
  };
  user->link().receive(receiving.completion);
  ASSERT_TRUE(lab.run_until([&] { return user->end() != nullptr; }));
  EXPECT_TRUE(user->end()->aborted);
  EXPECT_EQ(read, 1U);
}

TEST_P(TcpTest, KnowsBothAddresses) {
  connect();
  const LinkFacts facts = user->link().facts();
  EXPECT_TRUE(facts.raw_socket);
  EXPECT_TRUE(facts.gathers);
  EXPECT_EQ(user->link().peer_address(), io().local_address(pair.server).value());
  EXPECT_EQ(user->link().local_address(), io().peer_address(pair.server).value());
  io().close(pair.server);
}

TEST_P(TcpTest, AResetThatWaitsForAnUnreadingPeerLooksEverLessOften) {
  connect();
  auto *const sim = dynamic_cast<SimIo *>(&io());
  if (sim == nullptr) {
    io().close(pair.server);
    GTEST_SKIP() << "a minute of virtual time";
  }
  user->link().end_tunnel_here();
  user->write_until_held();
  ASSERT_TRUE(lab.run_until([&] { return user->link().held() > 0; }));
  std::string text;
  ASSERT_TRUE(lab.run_until([&] { // until all of it is in the two kernels, and they are full
    return user->link().held() == 0 || (receive_text(io(), pair.server, text, 1'000), false);
  }));
  const std::uint64_t before = sim->unsent_asked();
  user->abort();
  ASSERT_TRUE(lab.run_until([&] { return user->over(); }));
  EXPECT_EQ(user->ended.result(), -ETIMEDOUT);
  EXPECT_LT(sim->unsent_asked() - before, 2 * ShardLimits{}.abort_stall_ms / kAbortProbeMostMs);
  EXPECT_GT(sim->unsent_asked() - before, ShardLimits{}.abort_stall_ms / kAbortProbeMostMs / 2);
  io().close(pair.server);
}

INSTANTIATE_TEST_SUITE_P(Worlds, TcpTest, testing::Values(&make_uring_world, &make_sim_world),
                         [](const auto &info) { return info.index == 0 ? "uring" : "sim"; });

} // namespace
} // namespace culvert::test
