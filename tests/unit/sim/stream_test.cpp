// The rules of a simulated TCP connection, each as Linux 6.18 was seen to follow it.
#include "unit/sim/sim_tools.hpp"

namespace culvert::test {
namespace {

class SimStream : public testing::Test {
protected:
  TestWorld world;
  Wire wire{world};
  int last = 0;
};

TEST_F(SimStream, BytesArriveInOrderAfterTheLatencyNotBefore) {
  ASSERT_EQ(wire.send("one"), 3);
  ASSERT_EQ(wire.send("two"), 3);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -EAGAIN);
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 6);
  wire.settle();
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 0);
  EXPECT_EQ(wire.take(last), "onetwo");
  wire.close_both();
}

TEST_F(SimStream, AGatheringSendTakesThePartsInOrder) {
  const std::array<std::span<const std::byte>, 3> parts{bytes_of("ab"), bytes_of(""),
                                                        bytes_of("cde")};
  EXPECT_EQ(wire.near_io.send(wire.near, parts), 5);
  wire.settle();
  EXPECT_EQ(wire.take(last), "abcde");
  wire.close_both();
}

TEST_F(SimStream, BuffersAreBoundedAndRoomComesBack) {
  wire.near_io.set_option(wire.near, SocketOption::kSendBuffer, 10'000);
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 5'000);
  const std::string text = coded(40'000);
  EXPECT_EQ(wire.send(text), 10'000);
  EXPECT_EQ(wire.send(text), -EAGAIN);
  wire.settle();
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 5'000);
  EXPECT_EQ(wire.send(std::string_view(text).substr(10'000)), 5'000);
  EXPECT_EQ(wire.send("x"), -EAGAIN);
  Op room;
  wire.near_io.poll(wire.near, Interest::kWritable, room.completion);
  wire.settle();
  EXPECT_FALSE(room.done()); // the reader is slow for ever so long
  EXPECT_EQ(wire.take(last), text.substr(0, 5'000));
  ASSERT_TRUE(world.run_until([&] { return room.done(); }));
  std::string rest;
  EXPECT_EQ(receive_bytes(world, wire.far_io, wire.far, 10'000, rest), 10'000);
  EXPECT_EQ(rest, text.substr(5'000, 10'000));
  wire.close_both();
}

TEST_F(SimStream, AnEndComesBehindTheBytesAndIsSeenAgainAndAgain) {
  wire.send("last words");
  EXPECT_EQ(wire.near_io.shutdown_send(wire.near), 0);
  EXPECT_EQ(wire.near_io.shutdown_send(wire.near), 0);
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 11); // Linux counts the FIN
  EXPECT_EQ(wire.send("more"), -EPIPE);
  wire.settle();
  EXPECT_EQ(wire.take(last), "last words");
  EXPECT_EQ(last, 0);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0);
  EXPECT_EQ(wire.reply("still open"), 10); // half-closed
  std::string back;
  EXPECT_EQ(receive_bytes(world, wire.near_io, wire.near, 10, back), 10);
  wire.close_both();
}

TEST_F(SimStream, CloseSendsWhatIsQueuedHoweverSlowTheReader) {
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  const std::string text = coded(200'000);
  ASSERT_EQ(wire.send(text), 200'000);
  wire.near_io.close(wire.near);
  wire.settle();
  std::string got;
  EXPECT_EQ(receive_bytes(world, wire.far_io, wire.far, 200'000, got), 200'000);
  EXPECT_EQ(got, text);
  EXPECT_EQ(final_receive(world, wire.far_io, wire.far), 0);
  wire.far_io.close(wire.far);
  EXPECT_EQ(world.sim.leaks(), "");
}

TEST_F(SimStream, LingerZeroLosesWhatIsQueuedAndKeepsWhatArrived) {
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  const std::string text = coded(200'000);
  ASSERT_EQ(wire.send(text), 200'000);
  wire.settle();
  close_reset(wire.near_io, wire.near);
  wire.settle();
  EXPECT_EQ(wire.take(last), text.substr(0, 4'096));
  EXPECT_EQ(last, -ECONNRESET);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0);
  EXPECT_EQ(wire.reply("x"), -EPIPE); // receive() took the error
  EXPECT_EQ(wire.far_io.shutdown_send(wire.far), -ENOTCONN);
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, ASendThatTakesTheErrorLeavesReceiveACleanEnd) {
  wire.send("arrived");
  wire.settle();
  close_reset(wire.near_io, wire.near);
  wire.settle();
  EXPECT_EQ(wire.reply("x"), -ECONNRESET);
  EXPECT_EQ(wire.reply("x"), -EPIPE);
  EXPECT_EQ(wire.take(last), "arrived");
  EXPECT_EQ(last, 0); // the trap of io.hpp's send()
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, ABrokenSocketHasNothingUnsent) {
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  ASSERT_EQ(wire.send(coded(100'000)), 100'000);
  wire.settle();
  EXPECT_GT(wire.near_io.unsent_bytes(wire.near), 0);
  close_reset(wire.far_io, wire.far);
  wire.settle();
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 0);
  wire.near_io.close(wire.near);
}

TEST_F(SimStream, CloseOverUnreadBytesResetsAndLosesTheCloserBytes) {
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  const std::string text = coded(100'000);
  wire.send(text);
  wire.reply("never read");
  wire.settle();
  wire.near_io.close(wire.near);
  wire.settle();
  EXPECT_EQ(wire.take(last), text.substr(0, 4'096));
  EXPECT_EQ(last, -ECONNRESET);
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, SendAfterThePeerClosedSucceedsThenBreaks) {
  wire.near_io.close(wire.near);
  wire.settle();
  EXPECT_EQ(wire.reply("into nothing"), 12);
  wire.settle();
  EXPECT_EQ(wire.reply("x"), -EPIPE);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0); // an end that was received hides the reset
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, AnEndThatWasReceivedHidesAResetFromReceiveAlone) {
  wire.near_io.close(wire.near);
  wire.settle();
  EXPECT_EQ(wire.reply("into nothing"), 12);
  wire.settle();
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0);
  EXPECT_EQ(wire.reply("x"), -EPIPE);
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, WritableNeedsAThirdOfTheBuffer) {
  wire.near_io.set_option(wire.near, SocketOption::kSendBuffer, 9'000);
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  ASSERT_EQ(wire.send(coded(9'000)), 9'000);
  wire.settle();
  ASSERT_EQ(wire.send(coded(9'000)), 4'096); // full, at both ends
  Op room;
  wire.near_io.poll(wire.near, Interest::kWritable, room.completion);
  std::string got;
  ASSERT_EQ(receive_text(wire.far_io, wire.far, got, 2'999), 2'999);
  wire.settle();
  EXPECT_FALSE(room.done());
  ASSERT_EQ(receive_text(wire.far_io, wire.far, got, 1), 1);
  EXPECT_TRUE(world.run_until([&] { return room.done(); }));
  wire.close_both();
}

TEST_F(SimStream, BytesThatMeetAClosedSocketDestroyWhatItStillSends) {
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  ASSERT_EQ(wire.send(coded(100'000)), 100'000);
  wire.near_io.close(wire.near);
  wire.settle();
  wire.reply("too late");
  wire.settle();
  std::string got;
  EXPECT_EQ(receive_bytes(world, wire.far_io, wire.far, 100'000, got), -ECONNRESET);
  EXPECT_EQ(got, coded(4'096));
  wire.far_io.close(wire.far);
}

TEST_F(SimStream, AfterBothEndsLingerZeroIsSilent) {
  wire.near_io.shutdown_send(wire.near);
  wire.far_io.shutdown_send(wire.far);
  wire.settle();
  close_reset(wire.near_io, wire.near);
  wire.settle();
  EXPECT_EQ(wire.reply("x"), -EPIPE); // its own end, no error
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0);
  wire.far_io.close(wire.far);
}

struct Fires {
  bool readable, writable, hangup, broken;
};

/// Which interests fire in the near socket's present state.
Fires fires(Wire &wire) {
  std::array<Op, 4> polls;
  Op cancel;
  constexpr std::array kAll{Interest::kReadable, Interest::kWritable, Interest::kHangup,
                            Interest::kBroken};
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    wire.near_io.poll(wire.near, kAll[i], polls[i].completion);
  }
  wire.settle();
  Fires result{polls[0].done(), polls[1].done(), polls[2].done(), polls[3].done()};
  for (Op &poll : polls) {
    if (!poll.done()) {
      Op with;
      wire.near_io.cancel(poll.completion, with.completion);
      EXPECT_TRUE(wire.world.run_until([&] { return poll.done() && with.done(); }));
      EXPECT_EQ(poll.result(), -ECANCELED);
      EXPECT_EQ(with.result(), 0);
    }
  }
  return result;
}

TEST_F(SimStream, PollTable) {
  const auto expect = [&](const char *when, const Fires &wanted) {
    SCOPED_TRACE(when);
    const Fires seen = fires(wire);
    EXPECT_EQ(seen.readable, wanted.readable);
    EXPECT_EQ(seen.writable, wanted.writable);
    EXPECT_EQ(seen.hangup, wanted.hangup);
    EXPECT_EQ(seen.broken, wanted.broken);
  };
  expect("idle", {false, true, false, false});
  wire.reply("unread");
  wire.settle();
  expect("unread bytes", {true, true, false, false});
  wire.far_io.set_option(wire.far, SocketOption::kReceiveBuffer, 4'096);
  wire.send(coded(600'000));
  wire.settle();
  wire.send(coded(600'000));
  expect("no room", {true, false, false, false});
  wire.far_io.shutdown_send(wire.far);
  wire.settle();
  expect("the other side ended", {true, false, true, false});
  wire.near_io.shutdown_send(wire.near);
  expect("both sides ended", {true, true, true, false});
  wire.close_both();
}

TEST_F(SimStream, PollOnAResetSocketFiresEverything) {
  close_reset(wire.far_io, wire.far);
  wire.settle();
  const Fires seen = fires(wire);
  EXPECT_TRUE(seen.readable && seen.writable && seen.hangup && seen.broken);
  wire.near_io.close(wire.near);
}

TEST_F(SimStream, HangupIsSilentWithUnreadDataAndWakesOnAReset) {
  Op hangup;
  wire.near_io.poll(wire.near, Interest::kHangup, hangup.completion);
  wire.reply("data");
  wire.settle();
  EXPECT_FALSE(hangup.done());
  close_reset(wire.far_io, wire.far);
  EXPECT_TRUE(world.run_until([&] { return hangup.done(); }));
  EXPECT_GE(hangup.result(), 0);
  wire.near_io.close(wire.near);
}

TEST(SimUnix, CloseLosesNothingAndUnreadBytesReset) {
  TestWorld world;
  Io &io = world.make();
  Pair pair = connected_pair(world, io, Address::Family::kUnix);
  send_text(io, pair.client, "kept");
  close_reset(io, pair.client); // linger is nothing to a unix socket
  std::string got;
  EXPECT_EQ(receive_bytes(world, io, pair.server, 4, got), 4);
  EXPECT_EQ(final_receive(world, io, pair.server), 0);
  EXPECT_EQ(send_text(io, pair.server, "x"), -EPIPE);
  io.close(pair.server);

  pair = connected_pair(world, io, Address::Family::kUnix);
  send_text(io, pair.client, "kept");
  send_text(io, pair.server, "unread");
  world.sim.run_for(10);
  io.close(pair.client);
  got.clear();
  EXPECT_EQ(receive_bytes(world, io, pair.server, 5, got), -ECONNRESET);
  EXPECT_EQ(got, "kept");
  EXPECT_EQ(final_receive(world, io, pair.server), 0);
  io.close(pair.server);
  EXPECT_EQ(world.sim.leaks(), "");
}

} // namespace
} // namespace culvert::test
