// The loop itself: timers, order and budget, on every backend.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

struct Alarm {
  Alarm(Io &io_of_it, std::vector<int> &journal_of_it, int id_of_it)
      : io(io_of_it), journal(journal_of_it), id(id_of_it) {
    timer.bind<&Alarm::on_time>(*this);
  }
  void on_time() {
    fired_ns = io.now_ns();
    journal.push_back(id);
    if (disarms != nullptr) {
      disarms->disarm();
    }
    if (rearm_ns != 0) {
      io.arm(timer, rearm_ns);
      rearm_ns = 0;
    }
  }
  Io &io;
  std::vector<int> &journal;
  int id;
  Timer timer;
  Timer *disarms = nullptr;
  std::uint64_t rearm_ns = 0;
  std::uint64_t fired_ns = 0;
};

TEST_P(IoSuite, TimersFireInOrderAndNeverEarly) {
  Io &io = world->make();
  std::vector<int> journal;
  std::vector<std::unique_ptr<Alarm>> alarms;
  const std::uint64_t start_ns = io.now_ns();
  const std::vector<std::uint64_t> delays{30, 5, 20, 5, 1, 20, 40};
  for (std::size_t i = 0; i < delays.size(); ++i) {
    alarms.push_back(std::make_unique<Alarm>(io, journal, static_cast<int>(i)));
    io.arm(alarms.back()->timer, start_ns + delays[i] * kMs);
  }
  EXPECT_EQ(io.nearest_deadline_ns(), start_ns + kMs);
  EXPECT_TRUE(world->run_until([&] { return journal.size() == delays.size(); }));
  EXPECT_EQ(journal, (std::vector<int>{4, 1, 3, 2, 5, 0, 6}));
  for (std::size_t i = 0; i < delays.size(); ++i) {
    EXPECT_GE(alarms[i]->fired_ns, start_ns + delays[i] * kMs);
    EXPECT_FALSE(alarms[i]->timer.armed());
  }
  EXPECT_EQ(io.nearest_deadline_ns(), Timers::kNever);
}

TEST_P(IoSuite, AMovedTimerFiresOnceAtItsNewTime) {
  Io &io = world->make();
  std::vector<int> journal;
  Alarm later(io, journal, 1);
  Alarm sooner(io, journal, 2);
  Alarm middle(io, journal, 3);
  const std::uint64_t start_ns = io.now_ns();
  io.arm(later.timer, start_ns + 2 * kMs);
  io.arm(sooner.timer, start_ns + 3'600'000 * kMs);
  io.arm(middle.timer, start_ns + 10 * kMs);
  io.arm(later.timer, start_ns + 20 * kMs);
  io.arm(sooner.timer, start_ns + 5 * kMs);
  EXPECT_TRUE(world->run_until([&] { return journal.size() == 3; }));
  EXPECT_EQ(journal, (std::vector<int>{2, 3, 1}));
  EXPECT_GE(later.fired_ns, start_ns + 20 * kMs);
}

TEST_P(IoSuite, ATimerDisarmedInACallbackOfTheSameMomentDoesNotFire) {
  Io &io = world->make();
  std::vector<int> journal;
  Alarm first(io, journal, 1);
  Alarm second(io, journal, 2);
  Alarm third(io, journal, 3);
  first.disarms = &second.timer;
  const std::uint64_t due_ns = io.now_ns() + 2 * kMs;
  io.arm(first.timer, due_ns);
  io.arm(second.timer, due_ns);
  io.arm(third.timer, due_ns);
  EXPECT_TRUE(world->run_until([&] { return journal.size() >= 2; }));
  EXPECT_EQ(journal, (std::vector<int>{1, 3}));
  EXPECT_FALSE(second.timer.armed());
}

TEST_P(IoSuite, ATimerArmedInThePastDoesNotHoldBackOthersThatAreDue) {
  Io &io = world->make();
  std::vector<int> journal;
  Alarm eager(io, journal, 1);
  Alarm patient(io, journal, 2);
  const std::uint64_t due_ns = io.now_ns() + 2 * kMs;
  eager.rearm_ns = 1; // long ago
  io.arm(eager.timer, due_ns);
  io.arm(patient.timer, due_ns);
  EXPECT_TRUE(world->run_until([&] { return journal.size() == 3; }));
  EXPECT_EQ(journal, (std::vector<int>{1, 2, 1}));
}

/// Notes when it ran; may yield again or start work in its callback.
struct Worker {
  Worker(Io &io_of_it, std::vector<int> &journal_of_it, int id_of_it, int times_of_it = 1)
      : io(io_of_it), journal(journal_of_it), id(id_of_it), times(times_of_it) {
    completion.bind<&Worker::on_turn>(*this);
  }
  void on_turn(Outcome outcome) {
    EXPECT_EQ(outcome.result, 0);
    journal.push_back(id);
    if (--times > 0) {
      io.yield(completion);
    }
  }
  Io &io;
  std::vector<int> &journal;
  int id;
  int times;
  Completion completion;
};

TEST_P(IoSuite, YieldsCompleteInTheirOrderBehindWhatIsReady) {
  Io &io = world->make();
  std::vector<int> journal;
  Worker one(io, journal, 1, 3);
  Worker two(io, journal, 2, 2);
  Worker three(io, journal, 3);
  io.yield(one.completion);
  io.yield(two.completion);
  io.yield(three.completion);
  EXPECT_TRUE(journal.empty());
  EXPECT_EQ(io.in_flight(), 3U);
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  EXPECT_EQ(journal, (std::vector<int>{1, 2, 3, 1, 2, 1}));
}

TEST_P(IoSuite, BulkWaitsBehindInteractive) {
  Io &io = world->make();
  std::vector<int> journal;
  Worker bulk_one(io, journal, 11, 2);
  Worker bulk_two(io, journal, 12);
  Worker short_one(io, journal, 1, 3);
  Worker short_two(io, journal, 2);
  bulk_one.completion.bulk = bulk_two.completion.bulk = true;
  io.yield(bulk_one.completion);
  io.yield(bulk_two.completion);
  io.yield(short_one.completion);
  io.yield(short_two.completion);
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  EXPECT_EQ(journal, (std::vector<int>{1, 2, 1, 1, 11, 12, 11}));
}

/// Streams that are always ready: each turn yields again until `stop`.
struct Crowd {
  struct Stream {
    void on_turn(Outcome) {
      ++turns;
      if (!crowd->stop) {
        crowd->io.yield(completion);
      }
    }
    Crowd *crowd = nullptr;
    std::size_t turns = 0;
    Completion completion;
  };
  Crowd(Io &io_of_it, std::size_t count, bool bulk) : io(io_of_it), streams(count) {
    for (Stream &stream : streams) {
      stream.crowd = this;
      stream.completion.bind<&Stream::on_turn>(stream);
      stream.completion.bulk = bulk;
      io.yield(stream.completion);
    }
  }
  [[nodiscard]] std::size_t turns() const {
    std::size_t sum = 0;
    for (const Stream &stream : streams) {
      sum += stream.turns;
    }
    return sum;
  }
  Io &io;
  std::vector<Stream> streams;
  bool stop = false;
};

TEST_P(IoSuite, ShortAndBulkStreamsThatAreAlwaysReadyEachHaveTheirShare) {
  constexpr std::size_t kTurns = 20'000;
  const std::pair<std::size_t, std::size_t> mixes[] = {{1, 1}, {3, 2}, {128, 4}, {1'000, 8}};
  for (const auto &[short_count, bulk_count] : mixes) {
    SCOPED_TRACE(std::to_string(short_count) + " short, " + std::to_string(bulk_count) + " bulk");
    Io &io = world->make();
    Crowd shorts(io, short_count, false);
    Crowd bulks(io, bulk_count, true);
    EXPECT_TRUE(world->run_until([&] { return shorts.turns() + bulks.turns() >= kTurns; }));
    const std::size_t all = shorts.turns() + bulks.turns();
    EXPECT_NEAR(static_cast<double>(bulks.turns()),
                static_cast<double>(all) / (kShortTurnsPerBulk + 1), 1.0);
    for (const Crowd::Stream &stream : bulks.streams) {
      EXPECT_LE(stream.turns, bulks.turns() / bulk_count + 1); // evenly among themselves
      EXPECT_GE(stream.turns, bulks.turns() / bulk_count);
    }
    shorts.stop = bulks.stop = true;
    EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  }
}

TEST_P(IoSuite, AShortStreamBesideEightBulkOnesRunsAheadOfAllOfThem) {
  struct Talk {
    explicit Talk(Io &io_of_it) : io(io_of_it), bulks(io, 7, true) {
      waking.bind<&Talk::on_bulk_turn>(*this);
      waking.bulk = true;
      answer.bind<&Talk::on_short_turn>(*this);
      io.yield(waking);
    }
    void on_bulk_turn(Outcome) { // the eighth; in it the short stream becomes ready
      bulk_turns_before = bulks.turns();
      io.yield(answer);
      if (!bulks.stop) {
        io.yield(waking);
      }
    }
    void on_short_turn(Outcome) {
      EXPECT_EQ(bulks.turns(), bulk_turns_before);
      ++short_turns;
    }
    Io &io;
    Crowd bulks;
    Completion waking;
    Completion answer;
    std::size_t bulk_turns_before = 0;
    int short_turns = 0;
  };
  Io &io = world->make();
  Talk talk(io);
  EXPECT_TRUE(world->run_until([&] { return talk.short_turns >= 100; }));
  talk.bulks.stop = true;
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
}

/// Links wake themselves with a timer that is due at once, so each step of a handshake waits for
/// it.
TEST_P(IoSuite, ATimerThatIsDueGoesBeforeTheNextBulkTurn) {
  struct Sleeper {
    Sleeper(Io &io_of_it, const Crowd &bulks_of_it) : io(io_of_it), bulks(bulks_of_it) {
      timer.bind<&Sleeper::on_time>(*this);
      arm();
    }
    void arm() {
      armed_at = bulks.turns();
      io.arm_after_ms(timer, 0);
    }
    void on_time() {
      most_turns = std::max(most_turns, bulks.turns() - armed_at);
      if (++times < 1'000) {
        arm();
      }
    }
    Io &io;
    const Crowd &bulks;
    Timer timer;
    int times = 0;
    std::size_t armed_at = 0;
    std::size_t most_turns = 0; // between arming and running
  };
  Io &io = world->make();
  Crowd bulks(io, 8, true);
  Sleeper sleeper(io, bulks);
  EXPECT_TRUE(world->run_until([&] { return sleeper.times == 1'000; }));
  EXPECT_LE(sleeper.most_turns, 2U);
  bulks.stop = true;
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
}

TEST_P(IoSuite, AShortStreamThatBecomesReadyGoesBeforeTheNextBulkTurn) {
  struct Sender {
    Sender(Io &io_of_it, Socket socket_of_it) : io(io_of_it), socket(socket_of_it) {
      completion.bind<&Sender::on_turn>(*this);
      completion.bulk = true;
    }
    void on_turn(Outcome) {
      ++turns;
      if (turns == 2) {
        EXPECT_EQ(send_text(io, socket, "x"), 1);
      }
      if (!stop) {
        io.yield(completion);
      }
    }
    Io &io;
    Socket socket;
    Completion completion;
    int turns = 0;
    bool stop = false;
  };
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Sender sender(io, pair.client);
  Op readable;
  io.poll(pair.server, Interest::kReadable, readable.completion);
  io.yield(sender.completion);
  EXPECT_TRUE(world->run_until([&] { return readable.done(); }));
  EXPECT_GE(sender.turns, 2); // bulk that never ends did not shut it out
  sender.stop = true;
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, OneRunIsBounded) {
  Io &io = world->make();
  std::vector<int> journal;
  Worker endless(io, journal, 1, 3 * kRunBudget);
  io.yield(endless.completion);
  EXPECT_TRUE(io.run_ready());
  EXPECT_LE(journal.size(), static_cast<std::size_t>(kRunBudget));
  EXPECT_GE(journal.size(), 1U);
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  EXPECT_EQ(journal.size(), static_cast<std::size_t>(3 * kRunBudget));
  while (io.run_ready()) {
  }
  EXPECT_FALSE(io.run_ready());
}

} // namespace
} // namespace culvert::test
