// What a poll says of bytes, room, ends and resets, on every backend.
#include "unit/io/io_tools.hpp"

namespace culvert::test {
namespace {

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

} // namespace
} // namespace culvert::test
