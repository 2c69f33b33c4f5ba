// The simulated world itself: one seed one run, clocks, mail, waiting, accounting, log.
#include "unit/sim/sim_tools.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

constexpr std::uint64_t kMsNs = 1'000'000;

struct Tick {
  Tick() { timer.bind<&Tick::on_timer>(*this); }
  void on_timer() { ++count; }
  Timer timer;
  int count = 0;
};

TEST(SimWorld, TimersFireAtTheirTimeAndTheClockSkipsTheRest) {
  TestWorld world;
  Io &io = world.make();
  Tick tick;
  const std::uint64_t start_ns = io.now_ns();
  const std::int64_t start_s = io.wall_s();
  io.arm_after_ms(tick.timer, 7'200'000);
  ASSERT_TRUE(world.sim.run_until([&] { return tick.count == 1; }, 8'000'000));
  EXPECT_GE(io.now_ns() - start_ns, 7'200'000 * kMsNs);
  EXPECT_LT(io.now_ns() - start_ns, 7'200'001 * kMsNs);
  EXPECT_EQ(io.wall_s() - start_s, 7'200);
  world.sim.jump_wall(-86'400);
  EXPECT_EQ(io.wall_s() - start_s, 7'200 - 86'400);
}

TEST(SimWorld, RunUntilGivesUpAtItsDeadlineAndStepSaysWhenNothingIsLeft) {
  TestWorld world;
  Io &io = world.make();
  const std::uint64_t start_ns = io.now_ns();
  EXPECT_FALSE(world.sim.run_until([] { return false; }, 1'000));
  EXPECT_EQ(io.now_ns() - start_ns, 1'000 * kMsNs);
  EXPECT_FALSE(world.sim.step());
  Tick tick;
  io.arm_after_ms(tick.timer, 5);
  while (world.sim.step()) {
  }
  EXPECT_EQ(tick.count, 1);
}

TEST(SimWorld, AYieldFromOutsideRuns) {
  TestWorld world;
  Io &io = world.make();
  world.sim.run_for(1);
  Op op;
  io.yield(op.completion);
  EXPECT_TRUE(op.outcomes.empty());
  EXPECT_TRUE(world.sim.run_until([&] { return op.done(); }, 1));
}

struct Yielder {
  explicit Yielder(Io &io_of_it) : io(io_of_it) { again.bind<&Yielder::on_again>(*this); }
  void on_again(Outcome) {
    if (!stop) {
      io.yield(again);
    }
  }
  Io &io;
  Completion again;
  bool stop = false;
};

TEST(SimWorld, ALoopThatYieldsForEverDoesNotStopTheClock) {
  TestWorld world;
  Io &io = world.make();
  Yielder yielder(io);
  io.yield(yielder.again);
  EXPECT_FALSE(world.sim.run_until([] { return false; }, 1));
  yielder.stop = true;
  EXPECT_TRUE(world.sim.run_until([&] { return !yielder.again.in_flight(); }, 1));
}

TEST(SimWorld, WaitSleepsUntilSomethingCanRunWhileOthersGoOn) {
  TestWorld world;
  Wire wire(world);
  Op readable;
  wire.near_io.poll(wire.near, Interest::kReadable, readable.completion);
  while (wire.near_io.run_ready()) {
  }
  Tick far_tick; // the far Io must be driven meanwhile
  wire.far_io.arm_after_ms(far_tick.timer, 20);
  Tick near_tick;
  wire.near_io.arm_after_ms(near_tick.timer, 50);
  const std::uint64_t start_ns = world.sim.now_ns();
  wire.near_io.wait(Timers::kNever);
  EXPECT_EQ(world.sim.now_ns() - start_ns, 50 * kMsNs);
  EXPECT_EQ(far_tick.count, 1);
  wire.near_io.run_ready();
  EXPECT_EQ(near_tick.count, 1);
  wire.reply("x");
  wire.near_io.wait(Timers::kNever);
  wire.near_io.run_ready();
  EXPECT_TRUE(readable.done());
  wire.near_io.wait(world.sim.now_ns() + 10 * kMsNs);
  EXPECT_EQ(wire.near_io.descriptor(), -1);
  wire.close_both();
}

struct Letter final : Mail {
  int number = 0;
};

struct Mailbox {
  void on_mail(Mail &mail) { numbers.push_back(static_cast<Letter &>(mail).number); }
  std::vector<int> numbers;
};

TEST(SimWorld, MailKeepsItsOrderPerPairAndIsCountedOnBothShards) {
  bool mixed = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TestWorld world(seed);
    Io &one = world.make();
    Io &two = world.make();
    Io &target = world.make();
    Mailbox box;
    std::array<Letter, 40> letters;
    for (int i = 0; i < 40; ++i) {
      letters[static_cast<std::size_t>(i)].number = i;
      letters[static_cast<std::size_t>(i)].address_to<&Mailbox::on_mail>(box);
      (i % 2 == 0 ? one : two).post(target, letters[static_cast<std::size_t>(i)]);
    }
    EXPECT_EQ(one.in_flight(), 20U);
    EXPECT_EQ(target.in_flight(), 40U);
    EXPECT_NE(world.sim.leaks(), "");
    ASSERT_TRUE(world.run_until([&] { return box.numbers.size() == 40; }));
    std::array<int, 2> latest{-1, -1};
    for (const int number : box.numbers) {
      int &before = latest.at(static_cast<std::size_t>(number % 2));
      EXPECT_LT(before, number);
      before = number;
    }
    mixed = mixed || !std::is_sorted(box.numbers.begin(), box.numbers.end());
    EXPECT_EQ(one.in_flight() + two.in_flight() + target.in_flight(), 0U);
    EXPECT_EQ(world.sim.leaks(), "");
  }
  EXPECT_TRUE(mixed); // between pairs there is no order
}

TEST(SimWorld, MailToOneselfAndFromOutsideArrives) {
  TestWorld world;
  Io &io = world.make();
  Mailbox box;
  std::array<Letter, 2> letters;
  letters[0].address_to<&Mailbox::on_mail>(box);
  letters[1].address_to<&Mailbox::on_mail>(box);
  io.post(io, letters[0]);
  io.deliver(letters[1]);
  ASSERT_TRUE(world.run_until([&] { return box.numbers.size() == 2; }));
  EXPECT_EQ(io.in_flight(), 0U);
}

TEST(SimWorld, LeaksNamesWhatIsLeft) {
  TestWorld world;
  Wire wire(world);
  Op readable;
  wire.near_io.poll(wire.near, Interest::kReadable, readable.completion);
  const std::string text = world.sim.leaks();
  EXPECT_NE(text.find("1 operations in flight at near"), std::string::npos) << text;
  EXPECT_NE(text.find("10.0.0.1"), std::string::npos) << text;
  EXPECT_EQ(world.open_sockets(), 2U);
  Op cancel;
  wire.near_io.cancel(readable.completion, cancel.completion);
  ASSERT_TRUE(world.run_until([&] { return readable.done() && cancel.done(); }));
  wire.close_both();
  EXPECT_EQ(world.sim.leaks(), "");
}

TEST(SimWorld, ACancelOfWhatIsNoLongerThereSaysSo) {
  TestWorld world;
  Wire wire(world);
  Op writable;
  Op cancel;
  wire.near_io.poll(wire.near, Interest::kWritable, writable.completion);
  wire.near_io.cancel(writable.completion, cancel.completion); // it has fired already
  ASSERT_TRUE(world.run_until([&] { return writable.done() && cancel.done(); }));
  EXPECT_EQ(writable.result(), 1);
  EXPECT_TRUE(cancel.result() == -ENOENT || cancel.result() == -EALREADY);
  wire.close_both();
}

TEST(SimWorld, CancelAndTargetCompleteInEitherOrder) {
  int cancel_first = 0;
  constexpr int kRuns = 64;
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    TestWorld world(seed);
    Wire wire(world);
    Op poll;
    Op cancel;
    wire.near_io.poll(wire.near, Interest::kReadable, poll.completion);
    wire.near_io.cancel(poll.completion, cancel.completion);
    ASSERT_TRUE(world.run_until([&] { return poll.done() || cancel.done(); }));
    cancel_first += cancel.done() && !poll.done() ? 1 : 0;
    ASSERT_TRUE(world.run_until([&] { return poll.done() && cancel.done(); }));
    wire.close_both();
  }
  EXPECT_GT(cancel_first, 0);
  EXPECT_LT(cancel_first, kRuns);
}

TEST(SimWorld, OutcomesOfOneAcceptKeepTheirOrder) {
  TestWorld world;
  world.sim.link().jitter_ns = 0; // every SYN at the same moment
  Io &io = world.make();
  const Socket listener = io.listen(Address::loopback(0)).value();
  const Address address = io.local_address(listener).value();
  Acceptor acceptor(io, listener);
  std::vector<Socket> clients;
  std::vector<Op> connects(200);
  for (Op &connect : connects) {
    clients.push_back(io.open(address).value());
    io.connect(clients.back(), address, connect.completion);
  }
  ASSERT_TRUE(world.run_until([&] {
    return acceptor.accepted.size() == clients.size() &&
           std::all_of(connects.begin(), connects.end(), [](const Op &op) { return op.done(); });
  }));
  for (std::size_t i = 1; i < clients.size(); ++i) {
    EXPECT_LT(acceptor.accepted[i - 1].id, acceptor.accepted[i].id);
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    io.close(clients[i]);
    io.close(acceptor.accepted[i]);
  }
  EXPECT_TRUE(acceptor.stop(world));
}

TEST(SimWorld, TheLogIsPartOfTheRun) {
  TestWorld world;
  SimLog log(world.sim, LogLevel::kInfo);
  EXPECT_FALSE(log.enabled(LogLevel::kDebug));
  const std::uint64_t before = world.sim.trace_hash();
  log.write(LogLevel::kWarn, "relay lost", {{"relay", "10.0.0.1:443"}, {"try", "2"}});
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.lines()[0], "1000000 warn relay lost relay=10.0.0.1:443 try=2");
  EXPECT_NE(world.sim.trace_hash(), before);
}

using SimDeathTest = testing::Test;

TEST(SimDeathTest, CloseWithAnOperationInFlightIsCaught) {
  EXPECT_DEATH(
      {
        TestWorld world;
        Wire wire(world);
        Op poll;
        wire.near_io.poll(wire.near, Interest::kReadable, poll.completion);
        wire.near_io.close(wire.near);
      },
      "operations.empty");
}

TEST(SimDeathTest, UseAfterCloseIsCaught) {
  EXPECT_DEATH(
      {
        TestWorld world;
        Wire wire(world);
        wire.near_io.close(wire.near);
        wire.send("x");
      },
      "open");
}

} // namespace
} // namespace culvert::test
