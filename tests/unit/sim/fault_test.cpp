// Each kind of fault: what it does when it strikes, and under which phase it is counted.
#include "unit/sim/sim_tools.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

constexpr std::uint32_t kAlways = 1'000'000;

class SimFaultTest : public testing::Test {
protected:
  void always(SimFault fault) { world.sim.faults().set(fault, kAlways); }
  void heal() { world.sim.faults() = {}; }
  [[nodiscard]] std::uint64_t count(SimFault fault, SimPhase phase) const {
    return world.sim.fault_counts().of(fault, phase);
  }
  int connect(SimIo &io, const Address &address) {
    const Socket socket = io.open(address).value();
    Op op;
    io.connect(socket, address, op.completion);
    EXPECT_TRUE(world.run_until([&] { return op.done(); }));
    io.close(socket);
    return op.result();
  }

  TestWorld world;
  Wire wire{world};
  int last = 0;
};

TEST_F(SimFaultTest, ShortReadsAndWritesLoseNothing) {
  always(SimFault::kShortRead);
  always(SimFault::kShortWrite);
  world.sim.label(wire.near, SimPhase::kStream);
  const std::string text = coded(5'000);
  const int first = wire.send(text);
  EXPECT_GT(first, 0);
  EXPECT_LT(first, 5'000);
  ASSERT_EQ(send_bytes(world, wire.near_io, wire.near,
                       std::string_view(text).substr(static_cast<std::size_t>(first))),
            0);
  wire.settle();
  std::string got;
  const int got_first = receive_text(wire.far_io, wire.far, got);
  EXPECT_LT(got_first, 5'000);
  EXPECT_EQ(receive_bytes(world, wire.far_io, wire.far, 5'000, got), 5'000);
  EXPECT_EQ(got, text);
  EXPECT_GT(count(SimFault::kShortRead, SimPhase::kStream), 0U);
  EXPECT_GT(count(SimFault::kShortWrite, SimPhase::kStream), 0U);
  EXPECT_EQ(count(SimFault::kShortWrite, SimPhase::kSetUp), 0U);
  wire.close_both();
}

TEST_F(SimFaultTest, ALabelledConnectionCountsAsClosingOnceItEnds) {
  world.sim.label(wire.near, SimPhase::kStream);
  wire.near_io.shutdown_send(wire.near);
  wire.settle();
  always(SimFault::kShortWrite);
  wire.reply("xy");
  EXPECT_EQ(count(SimFault::kShortWrite, SimPhase::kClosing), 1U);
  world.sim.classify([](Socket) { return SimPhase::kNone; });
  wire.reply("xy");
  EXPECT_EQ(count(SimFault::kShortWrite, SimPhase::kNone), 1U);
  wire.close_both();
}

TEST_F(SimFaultTest, DelayedAndCloggedDeliveriesComeLateAndWhole) {
  for (const SimFault fault : {SimFault::kDelayedDelivery, SimFault::kCloggedLink}) {
    always(fault);
    const std::uint64_t before_ns = world.sim.now_ns();
    wire.send("late");
    heal();
    std::string got;
    EXPECT_EQ(receive_bytes(world, wire.far_io, wire.far, 4, got), 4);
    EXPECT_GT(world.sim.now_ns() - before_ns, 1'000'000U) << word(fault); // the link has 0.15 ms
    EXPECT_GT(count(fault, SimPhase::kSetUp), 0U);
  }
  wire.close_both();
}

TEST_F(SimFaultTest, HealUnclogs) {
  world.sim.clog(wire.near, 3'600'000'000'000);
  wire.send("stuck");
  wire.settle();
  EXPECT_EQ(wire.take(last), "");
  world.sim.heal();
  world.sim.run_for(1);
  EXPECT_EQ(wire.take(last), "stuck");
  wire.close_both();
}

TEST_F(SimFaultTest, AResetReachesBothEnds) {
  always(SimFault::kReset);
  wire.send("never");
  wire.settle();
  EXPECT_EQ(wire.send("x"), -ECONNRESET);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -ECONNRESET);
  EXPECT_EQ(count(SimFault::kReset, SimPhase::kSetUp), 1U);
  wire.close_both();
}

TEST_F(SimFaultTest, AHalfOpenConnectionIsSilentAndHealingDoesNotBringItBack) {
  always(SimFault::kHalfOpen);
  wire.send("never");
  wire.settle();
  world.sim.heal();
  wire.reply("neither");
  wire.settle();
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -EAGAIN);
  EXPECT_EQ(count(SimFault::kHalfOpen, SimPhase::kSetUp), 1U);
  wire.far_io.set_option(wire.far, SocketOption::kKeepAliveSec, 1);
  world.sim.run_for(1'000'000); // outstanding bytes: 924 s
  wire.take(last);
  EXPECT_EQ(last, -ETIMEDOUT);
  wire.close_both();
}

TEST_F(SimFaultTest, LackOfBuffersTakesNothingAndGoesAway) {
  const auto is_lack = [](int result) { return result == -ENOBUFS || result == -ENOMEM; };
  always(SimFault::kNoBuffersOnSend);
  EXPECT_TRUE(is_lack(wire.send("x")));
  heal();
  EXPECT_EQ(wire.send("x"), 1);
  wire.settle();
  always(SimFault::kNoBuffersOnReceive);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_TRUE(is_lack(last));
  heal();
  EXPECT_EQ(wire.take(last), "x");
  always(SimFault::kNoBuffersOnPoll);
  EXPECT_TRUE(is_lack(wait_for(world, wire.near_io, wire.near, Interest::kReadable)));
  heal();
  always(SimFault::kNoBuffersOnConnect);
  EXPECT_TRUE(is_lack(connect(wire.near_io, address_of("10.0.0.2", 80))));
  EXPECT_EQ(count(SimFault::kNoBuffersOnSend, SimPhase::kSetUp), 1U);
  EXPECT_EQ(count(SimFault::kNoBuffersOnConnect, SimPhase::kSetUp), 1U);
  wire.close_both();
}

TEST_F(SimFaultTest, NoDescriptor) {
  always(SimFault::kNoDescriptorOnOpen);
  const Result<Socket> opened = wire.near_io.open(address_of("10.0.0.2", 80));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code, Code::kNoDescriptor);
  EXPECT_EQ(opened.status().os_error, EMFILE);
  EXPECT_FALSE(wire.near_io.listen(address_of("10.0.0.1", 80)).ok());
  heal();

  const Address address = address_of("10.0.0.2", 80);
  const Socket listener = wire.far_io.listen(address).value();
  Op accept;
  wire.far_io.accept(listener, accept.completion);
  always(SimFault::kNoDescriptorOnAccept);
  EXPECT_EQ(connect(wire.near_io, address), 0); // it waits in the backlog
  ASSERT_TRUE(world.run_until([&] { return accept.done(); }));
  EXPECT_EQ(accept.result(), -EMFILE);
  EXPECT_FALSE(accept.outcomes.back().more);
  heal();
  Acceptor acceptor(wire.far_io, listener);
  ASSERT_TRUE(world.run_until([&] { return acceptor.accepted.size() == 1; }));
  wire.far_io.close(acceptor.accepted[0]);
  EXPECT_TRUE(acceptor.stop(world));
  wire.close_both();
}

TEST_F(SimFaultTest, ConnectFailsInThreeWays) {
  const Address address = address_of("10.0.0.2", 80);
  const Socket listener = wire.far_io.listen(address).value();
  struct Row {
    SimFault fault;
    int result;
  };
  for (const Row &row : {Row{SimFault::kConnectRefused, -ECONNREFUSED},
                         Row{SimFault::kConnectUnreachable, -EHOSTUNREACH},
                         Row{SimFault::kConnectTimeout, -ETIMEDOUT}}) {
    always(row.fault);
    EXPECT_EQ(connect(wire.near_io, address), row.result);
    EXPECT_EQ(count(row.fault, SimPhase::kSetUp), 1U);
    heal();
  }
  always(SimFault::kConnectTimeout); // and such a connect can be cancelled at once
  const Socket socket = wire.near_io.open(address).value();
  Op op;
  Op cancel;
  wire.near_io.connect(socket, address, op.completion);
  wire.near_io.cancel(op.completion, cancel.completion);
  EXPECT_TRUE(world.sim.run_until([&] { return op.done() && cancel.done(); }, 1));
  wire.near_io.close(socket);
  wire.far_io.close(listener);
  wire.close_both();
}

TEST_F(SimFaultTest, LateAndReorderedCompletions) {
  always(SimFault::kLateCompletion);
  const std::uint64_t before_ns = world.sim.now_ns();
  EXPECT_GE(wait_for(world, wire.near_io, wire.near, Interest::kWritable), 0);
  EXPECT_GT(world.sim.now_ns() - before_ns, 100'000U);
  heal();
  bool reordered = false;
  for (int round = 0; round < 50 && !reordered; ++round) {
    Op first;
    Op second;
    world.sim.faults().set(SimFault::kReorderedCompletion, kAlways);
    wire.near_io.poll(wire.near, Interest::kWritable, first.completion);
    heal();
    wire.far_io.poll(wire.far, Interest::kWritable, second.completion);
    ASSERT_TRUE(world.run_until([&] { return first.done() || second.done(); }));
    reordered = second.done() && !first.done();
    ASSERT_TRUE(world.run_until([&] { return first.done() && second.done(); }));
  }
  EXPECT_TRUE(reordered);
  EXPECT_GT(count(SimFault::kReorderedCompletion, SimPhase::kSetUp), 0U);
  wire.close_both();
}

TEST_F(SimFaultTest, ACancelledPollEndsWithARealOutcome) {
  always(SimFault::kCancelRace);
  Op poll;
  Op cancel;
  wire.near_io.poll(wire.near, Interest::kReadable, poll.completion);
  wire.near_io.cancel(poll.completion, cancel.completion);
  ASSERT_TRUE(world.run_until([&] { return poll.done() && cancel.done(); }));
  EXPECT_EQ(poll.result(), 1);
  EXPECT_EQ(cancel.result(), -EALREADY);
  EXPECT_EQ(count(SimFault::kCancelRace, SimPhase::kSetUp), 1U);
  wire.close_both();
}

TEST_F(SimFaultTest, ACancelledConnectConnects) {
  always(SimFault::kCancelRace);
  const Address address = address_of("10.0.0.2", 80);
  const Socket listener = wire.far_io.listen(address).value();
  const Socket socket = wire.near_io.open(address).value();
  Op op;
  Op cancel;
  wire.near_io.connect(socket, address, op.completion);
  wire.near_io.cancel(op.completion, cancel.completion);
  ASSERT_TRUE(world.run_until([&] { return op.done() && cancel.done(); }));
  EXPECT_EQ(op.result(), 0);
  EXPECT_EQ(wire.near_io.peer_address(socket).value(), address);
  wire.near_io.close(socket);
  wire.far_io.close(listener);
  wire.close_both();
  wire.settle();
  EXPECT_EQ(world.sim.leaks(), "");
}

TEST_F(SimFaultTest, ACancelledAcceptStillBringsWhatArrives) {
  always(SimFault::kCancelRace);
  const Address address = address_of("10.0.0.2", 80);
  const Socket listener = wire.far_io.listen(address).value();
  int brought = 0;
  for (int round = 0; round < 50; ++round) {
    Op accept;
    Op cancel;
    wire.far_io.accept(listener, accept.completion);
    wire.far_io.cancel(accept.completion, cancel.completion);
    EXPECT_EQ(connect(wire.near_io, address), 0);
    ASSERT_TRUE(world.run_until([&] { return accept.done() && cancel.done(); }));
    EXPECT_EQ(accept.result(), -ECANCELED);
    for (const Outcome &outcome : accept.outcomes) {
      if (outcome.result >= 0) {
        EXPECT_TRUE(outcome.more);
        wire.far_io.close(Socket{outcome.result});
        ++brought;
      }
    }
  }
  EXPECT_GT(brought, 0);
  wire.far_io.close(listener);
  wire.close_both();
  EXPECT_EQ(world.sim.leaks(), "");
}

TEST_F(SimFaultTest, TheWallClockJumpsAndTheMonotonicDoesNot) {
  always(SimFault::kClockJump);
  const std::int64_t wall_s = wire.near_io.wall_s();
  const std::uint64_t before_ns = wire.near_io.now_ns();
  wire.send("x");
  world.sim.run_for(10);
  EXPECT_NE(wire.near_io.wall_s(), wall_s);
  EXPECT_LE(std::abs(wire.near_io.wall_s() - wall_s), kSimLongestJumpSec);
  EXPECT_EQ(wire.near_io.now_ns() - before_ns, 10'000'000U);
  world.sim.heal();
  EXPECT_EQ(wire.near_io.wall_s(), wall_s);
  EXPECT_GT(count(SimFault::kClockJump, SimPhase::kNone), 0U);
  wire.close_both();
}

TEST_F(SimFaultTest, ASpuriousWakeFindsNothing) {
  always(SimFault::kSpuriousWake);
  EXPECT_GE(wait_for(world, wire.near_io, wire.near, Interest::kReadable), 0);
  std::string ignored;
  EXPECT_EQ(receive_text(wire.near_io, wire.near, ignored), -EAGAIN);
  EXPECT_EQ(count(SimFault::kSpuriousWake, SimPhase::kSetUp), 1U);
  wire.close_both();
}

TEST_F(SimFaultTest, NoFaultReportsADepartureThatDidNotHappen) {
  always(SimFault::kSpuriousWake);
  always(SimFault::kCancelRace);
  for (const Interest interest : {Interest::kHangup, Interest::kBroken}) {
    Op poll;
    Op cancel;
    wire.near_io.poll(wire.near, interest, poll.completion);
    world.sim.run_for(60'000);
    EXPECT_FALSE(poll.done());
    wire.near_io.cancel(poll.completion, cancel.completion);
    ASSERT_TRUE(world.run_until([&] { return poll.done() && cancel.done(); }));
    EXPECT_EQ(poll.result(), -ECANCELED);
  }
  EXPECT_EQ(count(SimFault::kSpuriousWake, SimPhase::kSetUp), 0U);
  wire.close_both();
}

TEST(SimFaults, WordsAreDistinctAndCountsAddUp) {
  SimFaultCounts counts;
  SimFaultCounts others;
  others.add(SimFault::kReset, SimPhase::kStream);
  counts.add(SimFault::kReset, SimPhase::kClosing);
  counts.add(others);
  EXPECT_EQ(counts.of(SimFault::kReset), 2U);
  EXPECT_EQ(counts.of(SimFault::kReset, SimPhase::kStream), 1U);
  EXPECT_NE(counts.text().find("reset 0 1 1 0\n"), std::string::npos) << counts.text();
  std::vector<std::string_view> words;
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    words.push_back(word(static_cast<SimFault>(kind)));
    EXPECT_FALSE(words.back().empty());
  }
  std::sort(words.begin(), words.end());
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
}

} // namespace
} // namespace culvert::test
