// Bytes, ends and what a poll says about them, on every backend.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

constexpr std::array kFamilies{Address::Family::kIpv4, Address::Family::kIpv6,
                               Address::Family::kUnix};
constexpr std::array kIpFamilies{Address::Family::kIpv4, Address::Family::kIpv6};

/// Sends until the socket takes no more, also after a moment; how much it took in all.
std::size_t fill(IoWorld &world, Io &io, Socket socket, std::size_t total = 0) {
  EXPECT_EQ(io.set_option(socket, SocketOption::kSendBuffer, 262'144), 0); // no tuning meanwhile
  for (int quiet = 0; quiet < 3;) {
    const int sent = send_text(io, socket, coded(65536, total));
    if (sent > 0) {
      total += static_cast<std::size_t>(sent);
      quiet = 0;
      continue;
    }
    EXPECT_EQ(sent, -EAGAIN);
    ++quiet;
    const std::uint64_t later_ns = io.now_ns() + 20'000'000; // what is on its way arrives meanwhile
    EXPECT_TRUE(world.run_until([&] { return io.now_ns() >= later_ns; }));
  }
  return total;
}

/// Runs the loops for a while and says whether the operation is still in flight.
bool stays_silent(IoWorld &world, Io &io, const Op &op) {
  const std::uint64_t later_ns = io.now_ns() + 50'000'000;
  EXPECT_TRUE(world.run_until([&] { return op.done() || io.now_ns() >= later_ns; }));
  return !op.done();
}

void cancel_and_join(IoWorld &world, Io &io, Op &op) {
  Op cancel;
  io.cancel(op.completion, cancel.completion);
  EXPECT_TRUE(world.run_until([&] { return op.done() && cancel.done(); }));
}

TEST_P(IoSuite, ReceiveSaysAgainThenBytesThenTheEndForEver) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    std::string got;
    EXPECT_EQ(receive_text(io, pair.server, got), -EAGAIN);
    EXPECT_EQ(send_text(io, pair.client, "abc"), 3);
    io.close(pair.client);
    EXPECT_EQ(receive_bytes(*world, io, pair.server, 3, got), 3);
    EXPECT_EQ(got, "abc");
    EXPECT_EQ(final_receive(*world, io, pair.server), 0);
    EXPECT_EQ(receive_text(io, pair.server, got), 0);
    EXPECT_GE(wait_for(*world, io, pair.server, Interest::kReadable), 0);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, ClosingWithLingerZeroIsReadAsReset) {
  for (const Address::Family family : kIpFamilies) {
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    Op readable;
    io.poll(pair.server, Interest::kReadable, readable.completion);
    close_reset(io, pair.client);
    EXPECT_TRUE(world->run_until([&] { return readable.done(); }));
    std::string got;
    EXPECT_EQ(receive_text(io, pair.server, got), -ECONNRESET);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, AnAcceptedSocketHasLingerZeroWhereTheListeningOneHas) {
  for (const Address::Family family : kIpFamilies) {
    Io &io = world->make();
    const Socket listener = io.listen(world->fresh_address(family)).value();
    EXPECT_EQ(io.set_option(listener, SocketOption::kLingerZero, 1), 0);
    const Address address = io.local_address(listener).value();
    Acceptor acceptor(io, listener);
    Op connect;
    const Socket client = io.open(address).value();
    io.connect(client, address, connect.completion);
    ASSERT_TRUE(world->run_until([&] { return connect.done() && acceptor.accepted.size() == 1; }));
    io.close(acceptor.accepted[0]);
    EXPECT_EQ(final_receive(*world, io, client), -ECONNRESET);
    io.close(client);
    EXPECT_TRUE(acceptor.stop(*world));
  }
}

TEST_P(IoSuite, SendingIntoAClosedPeerFailsWithoutASignal) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    io.close(pair.client);
    int sent = 0;
    EXPECT_TRUE(world->run_until([&] {
      sent = send_text(io, pair.server, "x");
      return sent < 0;
    }));
    EXPECT_TRUE(sent == -EPIPE || sent == -ECONNRESET) << sent;
    EXPECT_LT(send_text(io, pair.server, "x"), 0);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, ASlowReaderGetsEveryByteInOrder) {
  constexpr std::size_t kBytes = 12U << 20;
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    const std::string all = coded(kBytes);
    std::size_t sent = 0;
    int refusals = 0;
    std::string got;
    Op room;
    Op readable;
    while (got.size() < kBytes) {
      while (sent < kBytes && !room.completion.in_flight()) {
        const int taken = send_text(io, pair.client, std::string_view(all).substr(sent, 300'000));
        if (taken == -EAGAIN) {
          ++refusals;
          room.outcomes.clear();
          io.poll(pair.client, Interest::kWritable, room.completion);
        } else {
          ASSERT_GT(taken, 0);
          sent += static_cast<std::size_t>(taken);
        }
      }
      if (receive_text(io, pair.server, got, 70'000) == -EAGAIN) {
        readable.outcomes.clear();
        if (!readable.completion.in_flight()) {
          io.poll(pair.server, Interest::kReadable, readable.completion);
        }
        const bool full = room.completion.in_flight();
        ASSERT_TRUE(world->run_until(
            [&] { return readable.done() || (full && !room.completion.in_flight()); }));
      }
    }
    if (readable.completion.in_flight()) {
      cancel_and_join(*world, io, readable);
    }
    EXPECT_TRUE(world->run_until([&] { return !room.completion.in_flight(); }));
    EXPECT_GT(refusals, 0);
    EXPECT_TRUE(got == all);
    io.close(pair.client);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, AGatheringSendKeepsTheOrderOfItsParts) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  std::vector<std::string> texts;
  std::vector<std::span<const std::byte>> parts;
  std::string whole;
  for (std::size_t i = 0; i < kGatherParts; ++i) {
    texts.push_back(coded(i % 7 == 0 ? 0 : i * 3, whole.size())); // some are empty
    whole += texts.back();
  }
  for (const std::string &text : texts) {
    parts.push_back(bytes_of(text));
  }
  EXPECT_EQ(io.send(pair.client, parts), static_cast<int>(whole.size()));
  std::string got;
  receive_bytes(*world, io, pair.server, whole.size(), got);
  EXPECT_TRUE(got == whole);
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, HalfCloseLeavesTheOtherDirectionWhole) {
  for (const bool client_first : {true, false}) {
    for (const Address::Family family : kFamilies) {
      SCOPED_TRACE(static_cast<int>(family));
      Io &io = world->make();
      const Pair pair = connected_pair(*world, io, family);
      const Socket first = client_first ? pair.client : pair.server;
      const Socket last = client_first ? pair.server : pair.client;
      EXPECT_EQ(send_text(io, first, "question"), 8);
      EXPECT_EQ(io.shutdown_send(first), 0);
      std::string got;
      EXPECT_EQ(receive_bytes(*world, io, last, 9, got), 0); // the end comes behind the bytes
      EXPECT_EQ(got, "question");
      EXPECT_LT(send_text(io, first, "more"), 0);

      const std::string answer = coded(3U << 20);
      std::string back;
      std::size_t sent = 0;
      while (sent < answer.size()) { // more than fits: room must be waited for behind an end
        const int taken = send_text(io, last, std::string_view(answer).substr(sent));
        if (taken == -EAGAIN) {
          if (receive_text(io, first, back) == -EAGAIN) {
            wait_for(*world, io, first, Interest::kReadable);
          }
          continue;
        }
        ASSERT_GT(taken, 0);
        sent += static_cast<std::size_t>(taken);
      }
      EXPECT_EQ(io.shutdown_send(last), 0);
      EXPECT_EQ(receive_bytes(*world, io, first, answer.size() + 1, back), 0);
      EXPECT_TRUE(back == answer);
      io.close(pair.client);
      io.close(pair.server);
    }
  }
}

TEST_P(IoSuite, WritableIsSilentWhileFullEvenBehindThePeersEnd) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kReceiveBuffer, 131'072), 0);
    EXPECT_EQ(io.shutdown_send(pair.client), 0);
    EXPECT_EQ(final_receive(*world, io, pair.server), 0); // the end is here
    Op room;
    std::size_t filled = 0;
    int fillings = 0;
    do { // what the peer had no memory for comes once more, and it may have room for it then
      ASSERT_LT(++fillings, 50);
      filled = fill(*world, io, pair.server, filled);
      room.outcomes.clear();
      io.poll(pair.server, Interest::kWritable, room.completion);
    } while (!stays_silent(*world, io, room));
    std::string got;
    receive_bytes(*world, io, pair.client, filled, got);
    EXPECT_TRUE(world->run_until([&] { return room.done(); }));
    EXPECT_GE(room.result(), 0);
    EXPECT_EQ(room.outcomes.size(), 1U);
    EXPECT_TRUE(got == coded(filled));
    EXPECT_GT(send_text(io, pair.server, "x"), 0);

    Op again; // cancelled while it waits behind an end
    fillings = 0;
    do { // the peer's window may have opened once more
      ASSERT_LT(++fillings, 50);
      fill(*world, io, pair.server);
      again.outcomes.clear();
      io.poll(pair.server, Interest::kWritable, again.completion);
    } while (!stays_silent(*world, io, again));
    cancel_and_join(*world, io, again);
    EXPECT_EQ(again.result(), -ECANCELED);
    Op at_once; // cancelled before its first look
    io.poll(pair.server, Interest::kWritable, at_once.completion);
    cancel_and_join(*world, io, at_once);
    EXPECT_EQ(at_once.result(), -ECANCELED);
    io.close(pair.client);
    io.close(pair.server);
    EXPECT_EQ(io.in_flight(), 0U);
  }
}

TEST_P(IoSuite, HangupIsSilentWithUnreadBytesAndFiresOnTheEnd) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    Op hangup;
    io.poll(pair.server, Interest::kHangup, hangup.completion);
    EXPECT_EQ(send_text(io, pair.client, "unread"), 6);
    EXPECT_GE(wait_for(*world, io, pair.server, Interest::kReadable), 0);
    EXPECT_TRUE(stays_silent(*world, io, hangup));
    EXPECT_EQ(io.shutdown_send(pair.client), 0);
    EXPECT_TRUE(world->run_until([&] { return hangup.done(); }));
    EXPECT_GE(hangup.result(), 0);
    std::string got;
    EXPECT_EQ(receive_bytes(*world, io, pair.server, 6, got), 6); // nothing was lost
    io.close(pair.client);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, HangupFiresOnAReset) {
  for (const Address::Family family : kIpFamilies) {
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    Op hangup;
    io.poll(pair.server, Interest::kHangup, hangup.completion);
    EXPECT_TRUE(stays_silent(*world, io, hangup));
    close_reset(io, pair.client);
    EXPECT_TRUE(world->run_until([&] { return hangup.done(); }));
    EXPECT_GE(hangup.result(), 0);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, BrokenIsSilentForBytesAndEndsAndFiresOnAReset) {
  for (const Address::Family family : kIpFamilies) {
    for (const bool ended_before : {false, true}) {
      Io &io = world->make();
      const Pair pair = connected_pair(*world, io, family);
      Op broken;
      EXPECT_EQ(send_text(io, pair.client, "unread"), 6);
      if (ended_before) {
        EXPECT_EQ(io.shutdown_send(pair.client), 0);
        EXPECT_GE(wait_for(*world, io, pair.server, Interest::kHangup), 0);
      }
      io.poll(pair.server, Interest::kBroken, broken.completion);
      EXPECT_TRUE(stays_silent(*world, io, broken));
      if (!ended_before) {
        EXPECT_EQ(io.shutdown_send(pair.client), 0);
        EXPECT_TRUE(stays_silent(*world, io, broken));
      }
      close_reset(io, pair.client);
      EXPECT_TRUE(world->run_until([&] { return broken.done(); }));
      EXPECT_GE(broken.result(), 0);
      EXPECT_EQ(broken.outcomes.size(), 1U);
      io.close(pair.server);
      EXPECT_EQ(io.in_flight(), 0U);
    }
  }
}

TEST_P(IoSuite, BrokenThatNeverFiresCanBeCancelled) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Op broken;
  io.poll(pair.server, Interest::kBroken, broken.completion);
  EXPECT_EQ(io.shutdown_send(pair.client), 0);
  EXPECT_GE(wait_for(*world, io, pair.server, Interest::kHangup), 0);
  EXPECT_TRUE(stays_silent(*world, io, broken));
  cancel_and_join(*world, io, broken);
  EXPECT_EQ(broken.result(), -ECANCELED);
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, GoneIsSilentForAnEndAndFiresOnTheEndOfBothDirections) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    Op gone;
    io.poll(pair.server, Interest::kGone, gone.completion);
    EXPECT_EQ(send_text(io, pair.client, "unread"), 6);
    EXPECT_TRUE(stays_silent(*world, io, gone));
    EXPECT_EQ(io.shutdown_send(pair.client), 0);
    EXPECT_GE(wait_for(*world, io, pair.server, Interest::kHangup), 0);
    EXPECT_TRUE(stays_silent(*world, io, gone));
    EXPECT_EQ(io.shutdown_send(pair.server), 0);
    EXPECT_TRUE(world->run_until([&] { return gone.done(); }));
    EXPECT_GE(gone.result(), 0);
    std::string got;
    EXPECT_EQ(receive_bytes(*world, io, pair.server, 6, got), 6);
    io.close(pair.client);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, GoneFiresOnAResetAndOnTheCloseOfAUnixSocket) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    Op gone;
    io.poll(pair.server, Interest::kGone, gone.completion);
    EXPECT_EQ(send_text(io, pair.client, "unread"), 6);
    EXPECT_TRUE(stays_silent(*world, io, gone));
    close_reset(io, pair.client);
    EXPECT_TRUE(world->run_until([&] { return gone.done(); }));
    EXPECT_GE(gone.result(), 0);
    EXPECT_EQ(gone.outcomes.size(), 1U);
    io.close(pair.server);
    EXPECT_EQ(io.in_flight(), 0U);
  }
}

TEST_P(IoSuite, PollsOfEveryInterestOnOneSocketEachFireAtTheirOwnEvent) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    const std::size_t filled = fill(*world, io, pair.server);
    std::array<Op, 5> ops;
    Op &readable = ops[0];
    Op &room = ops[1];
    Op &hangup = ops[2];
    Op &broken = ops[3];
    Op &gone = ops[4];
    io.poll(pair.server, Interest::kReadable, readable.completion);
    io.poll(pair.server, Interest::kWritable, room.completion);
    io.poll(pair.server, Interest::kHangup, hangup.completion);
    io.poll(pair.server, Interest::kBroken, broken.completion);
    io.poll(pair.server, Interest::kGone, gone.completion);
    const auto done = [&] {
      return std::count_if(ops.begin(), ops.end(), [](const Op &op) { return op.done(); });
    };
    EXPECT_TRUE(stays_silent(*world, io, readable));
    EXPECT_EQ(send_text(io, pair.client, "x"), 1);
    EXPECT_TRUE(world->run_until([&] { return readable.done(); }));
    EXPECT_TRUE(stays_silent(*world, io, hangup));
    EXPECT_EQ(done(), 1);
    std::string got;
    EXPECT_EQ(receive_bytes(*world, io, pair.client, filled, got), static_cast<int>(filled));
    EXPECT_TRUE(world->run_until([&] { return room.done(); }));
    EXPECT_TRUE(stays_silent(*world, io, hangup));
    EXPECT_EQ(done(), 2);
    EXPECT_EQ(io.shutdown_send(pair.client), 0);
    EXPECT_TRUE(world->run_until([&] { return hangup.done(); }));
    EXPECT_TRUE(stays_silent(*world, io, gone));
    EXPECT_EQ(done(), 3);
    EXPECT_EQ(io.shutdown_send(pair.server), 0);
    EXPECT_TRUE(world->run_until([&] { return gone.done(); }));
    EXPECT_TRUE(stays_silent(*world, io, broken)); // two ends are no break
    EXPECT_EQ(done(), 4);
    cancel_and_join(*world, io, broken);
    EXPECT_EQ(broken.result(), -ECANCELED);
    io.close(pair.client);
    io.close(pair.server);
    EXPECT_EQ(io.in_flight(), 0U);
  }
}

TEST_P(IoSuite, ASocketWithTheNumberOfAClosedOneStartsAfresh) {
  Io &io = world->make();
  for (int round = 0; round < 3; ++round) {
    const Pair pair = connected_pair(*world, io);
    Op silent;
    io.poll(pair.server, Interest::kReadable, silent.completion); // nothing of the last round
    EXPECT_TRUE(stays_silent(*world, io, silent));
    EXPECT_EQ(send_text(io, pair.client, "unread"), 6);
    EXPECT_TRUE(world->run_until([&] { return silent.done(); }));
    EXPECT_GE(wait_for(*world, io, pair.server, Interest::kReadable), 0);
    io.close(pair.client);
    EXPECT_GE(wait_for(*world, io, pair.server, Interest::kHangup), 0);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, UnsentBytesFallToZeroWhenThePeerHasThem) {
  Io &io = world->make();
  for (const Address::Family family : kIpFamilies) {
    const Pair pair = connected_pair(*world, io, family);
    const std::size_t filled = fill(*world, io, pair.client);
    EXPECT_GT(io.unsent_bytes(pair.client), 0);
    EXPECT_LE(static_cast<std::size_t>(io.unsent_bytes(pair.client)), filled);
    std::string got;
    receive_bytes(*world, io, pair.server, filled, got);
    EXPECT_TRUE(world->run_until([&] { return io.unsent_bytes(pair.client) == 0; }));
    io.close(pair.client);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, APeerWithoutRoomIsNotSilent) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  EXPECT_EQ(io.silent_ms(pair.client), 0U);
  fill(*world, io, pair.client);
  EXPECT_GT(io.unsent_bytes(pair.client), 0);
  EXPECT_TRUE(world->run_until([&] { return io.silent_ms(pair.client) == 0; }));
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(IoSuite, UnsentBytesAreZeroOnceThePeerHasReset) {
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  fill(*world, io, pair.client);
  EXPECT_GT(io.unsent_bytes(pair.client), 0);
  close_reset(io, pair.server);
  EXPECT_GE(wait_for(*world, io, pair.client, Interest::kHangup), 0);
  EXPECT_EQ(io.unsent_bytes(pair.client), 0); // or an abort would wait for them in vain
  io.close(pair.client);
}

TEST_P(IoSuite, ASocketGoesOnAtAnotherShard) {
  Io &first = world->make();
  Io &second = world->make();
  const Pair pair = connected_pair(*world, first);
  EXPECT_EQ(send_text(first, pair.client, "before"), 6);
  std::string got;
  receive_bytes(*world, second, pair.server, 6, got);
  EXPECT_EQ(send_text(second, pair.server, "after"), 5);
  receive_bytes(*world, first, pair.client, 11, got);
  EXPECT_EQ(got, "beforeafter");
  second.close(pair.server);
  EXPECT_EQ(final_receive(*world, first, pair.client), 0);
  first.close(pair.client);
}

} // namespace
} // namespace culvert::test
