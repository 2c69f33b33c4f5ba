#include "link/dial.hpp"

#include "unit/io/io_tools.hpp"
#include "unit/link/link_suite.hpp"

namespace culvert::test {
namespace {

struct Dialled {
  explicit Dialled(Shard &shard) : dial(shard) { dial.bind<&Dialled::on_done>(*this); }
  void on_done(Result<Socket> result) { results.push_back(std::move(result)); }

  Dial dial;
  std::vector<Result<Socket>> results;
};

class DialTest : public testing::TestWithParam<std::unique_ptr<IoWorld> (*)()> {
protected:
  void SetUp() override {
    refused = listen();
    io().close(refused_socket());
  }
  void TearDown() override { EXPECT_EQ(lab.leaks(), ""); }
  Io &io() { return lab.shard().io; }
  Address listen() {
    listeners.push_back(io().listen(Address::loopback(0)).value());
    return io().local_address(listeners.back()).value();
  }
  Socket refused_socket() {
    const Socket socket = listeners.back();
    listeners.pop_back();
    return socket;
  }
  void run(Dialled &dialled) {
    ASSERT_TRUE(lab.run_until([&] { return !dialled.results.empty(); }));
    ASSERT_EQ(dialled.results.size(), 1U);
    EXPECT_FALSE(dialled.dial.running());
  }
  void end_listeners() {
    for (const Socket listener : listeners) {
      io().close(listener);
    }
    lab.run_some(3);
  }

  LinkLab lab{GetParam()()};
  std::vector<Socket> listeners;
  Address refused;
};

TEST_P(DialTest, ConnectsToTheFirstAddressThatAnswers) {
  const Address first = listen();
  const Address second = listen();
  Dialled dialled(lab.shard());
  dialled.dial.start({refused, first, second}, 5'000);
  EXPECT_TRUE(dialled.results.empty());
  run(dialled);
  ASSERT_TRUE(dialled.results[0].ok());
  EXPECT_EQ(dialled.dial.address(), first);
  EXPECT_EQ(io().peer_address(dialled.results[0].value()).value(), first);
  io().close(dialled.results[0].value());
  end_listeners();
}

TEST_P(DialTest, ReportsTheLastRefusal) {
  Dialled dialled(lab.shard());
  dialled.dial.start({refused, refused}, 5'000);
  run(dialled);
  ASSERT_FALSE(dialled.results[0].ok());
  EXPECT_EQ(dialled.results[0].status().code, Code::kRefused);
  EXPECT_EQ(dialled.results[0].status().os_error, ECONNREFUSED);
  EXPECT_NE(dialled.results[0].status().message.find(refused.text()), std::string::npos);
}

TEST_P(DialTest, CancelBeforeTheFirstTryCompletesOnce) {
  const Address address = listen();
  Dialled dialled(lab.shard());
  dialled.dial.start({address}, 5'000);
  dialled.dial.cancel();
  dialled.dial.cancel();
  run(dialled);
  ASSERT_FALSE(dialled.results[0].ok());
  EXPECT_EQ(dialled.results[0].status().code, Code::kCancelled);
  end_listeners();
}

TEST_P(DialTest, CancelAtAnyMomentGivesASocketOrAFailure) {
  const Address address = listen();
  for (std::size_t rounds = 1; rounds < 12; ++rounds) {
    Dialled dialled(lab.shard());
    dialled.dial.start({refused, address}, 5'000);
    lab.run_some(rounds);
    dialled.dial.cancel();
    ASSERT_TRUE(lab.run_until([&] { return !dialled.dial.running(); }));
    ASSERT_EQ(dialled.results.size(), 1U);
    if (dialled.results[0].ok()) {
      io().close(dialled.results[0].value());
    }
  }
  end_listeners();
}

INSTANTIATE_TEST_SUITE_P(Worlds, DialTest, testing::Values(&make_uring_world, &make_sim_world),
                         [](const auto &info) { return info.index == 0 ? "uring" : "sim"; });

} // namespace
} // namespace culvert::test
