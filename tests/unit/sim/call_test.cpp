// What a test answers to one call in place of the simulated kernel, and the ways to damage one
// connection: a call is struck once, and the world goes on.
#include "unit/sim/sim_tools.hpp"

#include "support/sim/sim_socket.hpp"

namespace culvert::test {
namespace {

using Kind = SimCall::Kind;
using Strike = SimStrike::Kind;

class SimCallTest : public testing::Test {
protected:
  /// The next call of this kind is struck, and no other.
  void strike_next(Kind kind, SimStrike strike) {
    left_ = 1;
    world.sim.on_call([this, kind, strike](const SimCall &call) {
      return call.kind == kind && left_ > 0 && left_-- > 0 ? strike : SimStrike{};
    });
  }
  int poll(Interest interest) {
    Op op;
    wire.far_io.poll(wire.far, interest, op.completion);
    EXPECT_TRUE(world.run_until([&] { return op.done(); }));
    return op.result();
  }

  TestWorld world;
  Wire wire{world};
  int last = 0;

private:
  int left_ = 0;
};

TEST_F(SimCallTest, AnErrorOfSendOrReceiveLeavesTheStreamAsItWas) {
  strike_next(Kind::kSend, {Strike::kError, EINTR});
  EXPECT_EQ(wire.send("lost"), -EINTR);
  EXPECT_EQ(wire.send("said"), 4);
  wire.settle();
  strike_next(Kind::kReceive, {Strike::kError, ENOMEM});
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -ENOMEM);
  EXPECT_EQ(wire.take(last), "said");
  wire.close_both();
}

TEST_F(SimCallTest, AShortCallMovesTheFirstBytes) {
  strike_next(Kind::kSend, {Strike::kAllButOne});
  EXPECT_EQ(wire.send("abcdef"), 5);
  wire.settle();
  std::string text;
  strike_next(Kind::kReceive, {Strike::kOne});
  EXPECT_EQ(receive_text(wire.far_io, wire.far, text), 1);
  strike_next(Kind::kReceive, {Strike::kHalf});
  EXPECT_EQ(receive_text(wire.far_io, wire.far, text), 2);
  EXPECT_EQ(text, "abc");
  wire.close_both();
}

TEST_F(SimCallTest, APollFailsOrFiresInVain) {
  strike_next(Kind::kPoll, {Strike::kError, ENOBUFS});
  EXPECT_EQ(poll(Interest::kReadable), -ENOBUFS);
  strike_next(Kind::kPoll, {Strike::kVain});
  EXPECT_EQ(poll(Interest::kReadable), 1);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -EAGAIN);
  wire.close_both();
}

TEST_F(SimCallTest, ACancelThatComesTooLateFindsItsTargetEnded) {
  Op poll;
  Op cancel;
  wire.far_io.poll(wire.far, Interest::kReadable, poll.completion);
  strike_next(Kind::kCancel, {Strike::kTooLate});
  wire.far_io.cancel(poll.completion, cancel.completion);
  EXPECT_TRUE(world.run_until([&] { return poll.done() && cancel.done(); }));
  EXPECT_EQ(poll.result(), 1);
  EXPECT_EQ(cancel.result(), -EALREADY);
  wire.close_both();
}

TEST_F(SimCallTest, AConnectThatIsNeverAnsweredCanBeCancelled) {
  const Address address = address_of("10.0.0.2", 9);
  const Socket socket = wire.near_io.open(address).value();
  Op connect;
  Op cancel;
  strike_next(Kind::kConnect, {Strike::kNever});
  wire.near_io.connect(socket, address, connect.completion);
  world.sim.run_for(TestWorld::kPatienceMs);
  EXPECT_FALSE(connect.done());
  wire.near_io.cancel(connect.completion, cancel.completion);
  EXPECT_TRUE(world.run_until([&] { return connect.done() && cancel.done(); }));
  EXPECT_EQ(connect.result(), -ECANCELED);
  wire.near_io.close(socket);
  wire.close_both();
}

TEST_F(SimCallTest, AnAcceptThatFailsKeepsTheConnectionUnlessThatIsGone) {
  for (const int error : {EMFILE, ECONNABORTED}) {
    const Address address = address_of("10.0.0.2", static_cast<std::uint16_t>(error));
    const Socket listener = wire.far_io.listen(address).value();
    strike_next(Kind::kAccept, {Strike::kError, error});
    Op accept;
    Op connect;
    wire.far_io.accept(listener, accept.completion);
    const Socket socket = wire.near_io.open(address).value();
    wire.near_io.connect(socket, address, connect.completion);
    EXPECT_TRUE(world.run_until([&] { return accept.done() && connect.done(); }));
    EXPECT_EQ(accept.result(), -error);
    wire.settle();
    std::string text;
    EXPECT_EQ(receive_text(wire.near_io, socket, text), error == EMFILE ? -EAGAIN : -ECONNRESET);
    wire.near_io.close(socket);
    wire.far_io.close(listener);
  }
  wire.close_both();
}

TEST_F(SimCallTest, OpenFailsWithItsOwnReason) {
  strike_next(Kind::kOpen, {Strike::kError, ENFILE});
  const Result<Socket> opened = wire.near_io.open(address_of("10.0.0.2", 7));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code, Code::kNoDescriptor);
  EXPECT_EQ(opened.status().os_error, ENFILE);
  wire.close_both();
}

TEST_F(SimCallTest, AnEndInTheMiddleReachesBothEndsAndAnswersWithAReset) {
  world.sim.finish_both(wire.near);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, 0);
  std::string text;
  EXPECT_EQ(receive_text(wire.near_io, wire.near, text), 0);
  EXPECT_EQ(wire.reply("anybody?"), 8);
  wire.settle();
  EXPECT_LT(wire.reply("nobody"), 0);
  wire.close_both();
}

TEST_F(SimCallTest, ATimeOutIsToldAtOneEndAlone) {
  world.sim.time_out(wire.far);
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -ETIMEDOUT);
  EXPECT_EQ(wire.send("into the dark"), 13);
  wire.close_both();
}

TEST_F(SimCallTest, AConnectionIsThereUntilItIsClosed) {
  EXPECT_EQ(world.sim.connections().size(), 2U);
  wire.far_io.close(wire.far);
  ASSERT_EQ(world.sim.connections().size(), 1U);
  EXPECT_EQ(world.sim.connections().front()->id, wire.near.id);
  wire.near_io.close(wire.near);
}

} // namespace
} // namespace culvert::test
