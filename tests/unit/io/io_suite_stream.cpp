// Bytes and ends, on every backend.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

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
