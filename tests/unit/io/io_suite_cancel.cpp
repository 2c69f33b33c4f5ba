// Cancelling: two operations, two completions each exactly once, in either order.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

bool is_cancel_answer(int result) {
  return result == 0 || result == -ENOENT || result == -EALREADY;
}

TEST_P(IoSuite, CancelEndsAPollOnce) {
  for (const Interest interest : {Interest::kReadable, Interest::kHangup, Interest::kBroken}) {
    for (const bool submitted_before : {true, false}) {
      Io &io = world->make();
      const Pair pair = connected_pair(*world, io);
      Op poll;
      Op cancel;
      io.poll(pair.client, interest, poll.completion);
      if (submitted_before) {
        while (io.run_ready()) {
        }
      }
      io.cancel(poll.completion, cancel.completion);
      EXPECT_TRUE(poll.outcomes.empty()); // never from inside the call
      EXPECT_TRUE(world->run_until([&] { return poll.done() && cancel.done(); }));
      EXPECT_EQ(poll.result(), -ECANCELED);
      EXPECT_TRUE(is_cancel_answer(cancel.result())) << cancel.result();
      EXPECT_EQ(poll.outcomes.size(), 1U);
      EXPECT_EQ(cancel.outcomes.size(), 1U);
      EXPECT_EQ(io.in_flight(), 0U);
      io.close(pair.client);
      io.close(pair.server);
    }
  }
}

TEST_P(IoSuite, CancelEndsAnAcceptAndItMayBeArmedAgain) {
  Io &io = world->make();
  const Socket listener = io.listen(world->fresh_address(Address::Family::kIpv4)).value();
  for (int round = 0; round < 3; ++round) {
    Op accept;
    Op cancel;
    io.accept(listener, accept.completion);
    io.cancel(accept.completion, cancel.completion);
    EXPECT_TRUE(world->run_until([&] { return accept.done() && cancel.done(); }));
    ASSERT_EQ(accept.outcomes.size(), 1U);
    EXPECT_EQ(accept.result(), -ECANCELED);
    EXPECT_FALSE(accept.outcomes.back().more);
  }
  io.close(listener);
  EXPECT_EQ(io.in_flight(), 0U);
}

TEST_P(IoSuite, AConnectionThatArrivesWithACancelIsNotLost) {
  constexpr int kRounds = 50;
  Io &io = world->make();
  const Socket listener = io.listen(world->fresh_address(Address::Family::kIpv4)).value();
  const Address address = io.local_address(listener).value();
  for (int round = 0; round < kRounds; ++round) {
    Op accept;
    Op cancel;
    Op connect;
    const Socket client = io.open(address).value();
    io.accept(listener, accept.completion);
    io.connect(client, address, connect.completion);
    for (int step = 0; step < round % 5; ++step) {
      io.run_ready();
    }
    io.cancel(accept.completion, cancel.completion);
    EXPECT_TRUE(world->run_until([&] { return connect.done() && accept.done() && cancel.done(); }));
    EXPECT_EQ(connect.result(), 0);
    std::vector<Socket> accepted;
    for (const Outcome outcome : accept.outcomes) {
      if (outcome.result >= 0) {
        accepted.push_back({outcome.result});
      }
    }
    if (accepted.empty()) { // still in the queue: the next accept brings it
      Acceptor later(io, listener);
      EXPECT_TRUE(world->run_until([&] { return later.accepted.size() == 1; }));
      accepted = later.accepted;
      Op end;
      later.stopping = true;
      io.cancel(later.completion, end.completion);
      EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
    }
    ASSERT_EQ(accepted.size(), 1U);
    EXPECT_EQ(send_text(io, client, "x"), 1);
    std::string got;
    EXPECT_EQ(receive_bytes(*world, io, accepted.front(), 1, got), 1);
    io.close(client);
    io.close(accepted.front());
  }
  io.close(listener);
  EXPECT_EQ(io.in_flight(), 0U);
  EXPECT_EQ(world->open_sockets(), 0U);
}

TEST_P(IoSuite, CancelRacesAConnectAndBothComplete) {
  Io &io = world->make();
  const Socket listener = io.listen(world->fresh_address(Address::Family::kIpv4)).value();
  const Address address = io.local_address(listener).value();
  for (int round = 0; round < 20; ++round) {
    Op connect;
    Op cancel;
    const Socket client = io.open(address).value();
    io.connect(client, address, connect.completion);
    for (int step = 0; step < round % 4; ++step) {
      io.run_ready();
    }
    io.cancel(connect.completion, cancel.completion);
    EXPECT_TRUE(world->run_until([&] { return connect.done() && cancel.done(); }));
    EXPECT_TRUE(connect.result() == 0 || connect.result() == -ECANCELED) << connect.result();
    EXPECT_TRUE(is_cancel_answer(cancel.result())) << cancel.result();
    EXPECT_EQ(connect.outcomes.size(), 1U);
    EXPECT_EQ(cancel.outcomes.size(), 1U);
    io.close(client);
  }
  io.close(listener);
  EXPECT_EQ(world->open_sockets(), 0U);
}

TEST_P(IoSuite, CancelOfSomethingCompleteSaysNoEntry) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Op poll;
  io.poll(pair.client, Interest::kWritable, poll.completion);
  EXPECT_TRUE(world->run_until([&] { return poll.done(); }));
  Op cancel;
  io.cancel(poll.completion, cancel.completion);
  EXPECT_TRUE(world->run_until([&] { return cancel.done(); }));
  EXPECT_EQ(cancel.result(), -ENOENT);
  EXPECT_EQ(poll.outcomes.size(), 1U);
  EXPECT_GE(poll.result(), 0);
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, CancelOfAYieldLetsItComplete) {
  Io &io = world->make();
  Op yield;
  Op cancel;
  io.yield(yield.completion);
  io.cancel(yield.completion, cancel.completion);
  EXPECT_TRUE(world->run_until([&] { return yield.done() && cancel.done(); }));
  EXPECT_EQ(yield.outcomes.size(), 1U);
  EXPECT_TRUE(is_cancel_answer(cancel.result())) << cancel.result();
}

TEST_P(IoSuite, CancelTwiceCompletesThreeTimes) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Op poll;
  Op first;
  Op second;
  io.poll(pair.client, Interest::kReadable, poll.completion);
  io.cancel(poll.completion, first.completion);
  io.cancel(poll.completion, second.completion);
  EXPECT_TRUE(world->run_until([&] { return poll.done() && first.done() && second.done(); }));
  EXPECT_EQ(poll.result(), -ECANCELED);
  EXPECT_EQ(poll.outcomes.size(), 1U);
  EXPECT_TRUE(is_cancel_answer(first.result())) << first.result();
  EXPECT_TRUE(is_cancel_answer(second.result())) << second.result();
  io.close(pair.client);
  io.close(pair.server);
}

/// Arms itself again from its own callback although an old cancel is still on its way.
struct Rearming {
  explicit Rearming(Io &io_of_it, Socket socket_of_it) : io(io_of_it), socket(socket_of_it) {
    completion.bind<&Rearming::on_room>(*this);
    io.poll(socket, Interest::kWritable, completion);
  }
  void on_room(Outcome outcome) {
    results.push_back(outcome.result);
    if (results.size() == 1) {
      io.poll(socket, Interest::kReadable, completion);
    }
  }
  Io &io;
  Socket socket;
  Completion completion;
  std::vector<int> results;
};

TEST_P(IoSuite, ALateCancelDoesNotHitTheNextOperationOfItsTarget) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Rearming target(io, pair.client); // room is there: completes at the next look
  Op late;
  while (io.run_ready()) {
  }
  if (target.results.empty()) {
    EXPECT_TRUE(world->run_until([&] { return !target.results.empty(); }));
  }
  EXPECT_TRUE(target.completion.in_flight()); // now the poll for bytes
  EXPECT_EQ(send_text(io, pair.server, "x"), 1);
  EXPECT_TRUE(world->run_until([&] { return target.results.size() == 2; }));
  EXPECT_GE(target.results[1], 0);
  io.cancel(target.completion, late.completion);
  EXPECT_TRUE(world->run_until([&] { return late.done(); }));
  EXPECT_TRUE(late.result() == -ENOENT || late.result() == -EALREADY) << late.result();
  EXPECT_EQ(target.results.size(), 2U);
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, ThousandsOfPollsAreJoinedInOneGo) {
  constexpr std::size_t kPairs = 40;
  constexpr std::size_t kPollsEach = 60; // 2,400 polls and as many cancels
  Io &io = world->make();
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < kPairs; ++i) {
    pairs.push_back(connected_pair(*world, io));
  }
  std::vector<Op> polls(kPairs * kPollsEach);
  std::vector<Op> cancels(polls.size());
  for (std::size_t i = 0; i < polls.size(); ++i) {
    io.poll(pairs[i % kPairs].client, Interest::kReadable, polls[i].completion);
  }
  EXPECT_EQ(io.in_flight(), polls.size());
  for (std::size_t i = 0; i < polls.size(); ++i) {
    io.cancel(polls[i].completion, cancels[i].completion);
  }
  EXPECT_TRUE(world->run_until([&] { return io.in_flight() == 0; }));
  for (std::size_t i = 0; i < polls.size(); ++i) {
    EXPECT_EQ(polls[i].result(), -ECANCELED);
    EXPECT_EQ(polls[i].outcomes.size(), 1U);
    EXPECT_EQ(cancels[i].outcomes.size(), 1U);
  }
  for (const Pair pair : pairs) {
    io.close(pair.client);
    io.close(pair.server);
  }
}

} // namespace
} // namespace culvert::test
