// Hosts, connects, outages, keepalive, and connections that change their shard.
#include "core/limits.hpp"
#include "unit/sim/sim_tools.hpp"

namespace culvert::test {
namespace {

constexpr std::uint64_t kSecNs = 1'000'000'000;

/// Connects from `io` and closes again; the outcome.
int connect_result(TestWorld &world, Io &io, const Address &address) {
  const Socket socket = io.open(address).value();
  Op connect;
  io.connect(socket, address, connect.completion);
  EXPECT_TRUE(world.run_until([&] { return connect.done(); }));
  io.close(socket);
  return connect.result();
}

TEST(SimNetwork, WhatAConnectMeets) {
  TestWorld world;
  Io &relay = world.sim.make_io("relay", "10.0.0.1");
  Io &app = world.sim.make_io("app", "10.0.0.2");
  world.sim.add_host("10.0.0.3");
  const Socket everywhere = relay.listen(address_of("0.0.0.0", 80)).value();
  const Socket inside = relay.listen(address_of("127.0.0.1", 81)).value();
  EXPECT_EQ(connect_result(world, app, address_of("10.0.0.1", 80)), 0);
  EXPECT_EQ(connect_result(world, relay, address_of("127.0.0.1", 80)), 0);
  EXPECT_EQ(connect_result(world, relay, address_of("127.0.0.1", 81)), 0);
  EXPECT_EQ(connect_result(world, app, address_of("127.0.0.1", 80)), -ECONNREFUSED);
  EXPECT_EQ(connect_result(world, app, address_of("10.0.0.1", 81)), -ECONNREFUSED);
  EXPECT_EQ(connect_result(world, app, address_of("10.0.0.3", 80)), -ECONNREFUSED);
  EXPECT_EQ(connect_result(world, app, address_of("10.0.0.9", 80)), -EHOSTUNREACH);
  const std::uint64_t before_ns = world.sim.now_ns();
  world.sim.cut("10.0.0.1", "10.0.0.2");
  EXPECT_EQ(connect_result(world, app, address_of("10.0.0.1", 80)), -ETIMEDOUT);
  EXPECT_NEAR(static_cast<double>(world.sim.now_ns() - before_ns) / kSecNs, 127.0, 0.1);
  relay.close(everywhere);
  relay.close(inside);
  EXPECT_FALSE(relay.listen(address_of("10.0.0.2", 80)).ok()); // another host's address
}

TEST(SimNetwork, ASynIsRepeatedWhenThePathComesBack) {
  TestWorld world;
  Io &relay = world.sim.make_io("relay", "10.0.0.1");
  Io &app = world.sim.make_io("app", "10.0.0.2");
  const Address address = address_of("10.0.0.1", 80);
  const Socket listener = relay.listen(address).value();
  world.sim.cut("10.0.0.1", "10.0.0.2");
  const Socket socket = app.open(address).value();
  Op connect;
  app.connect(socket, address, connect.completion);
  world.sim.run_for(5'000);
  EXPECT_FALSE(connect.done());
  world.sim.mend("10.0.0.1", "10.0.0.2");
  ASSERT_TRUE(world.run_until([&] { return connect.done(); }));
  EXPECT_EQ(connect.result(), 0);
  EXPECT_LT(world.sim.now_ns(), 10 * kSecNs);
  app.close(socket);
  relay.close(listener);
}

TEST(SimNetwork, ACancelledConnectEndsAtOnceAndTheSocketCanTryAgain) {
  TestWorld world;
  Io &relay = world.sim.make_io("relay", "10.0.0.1");
  Io &app = world.sim.make_io("app", "10.0.0.2");
  const Address address = address_of("10.0.0.1", 80);
  const Socket listener = relay.listen(address).value();
  world.sim.cut("10.0.0.1", "10.0.0.2");
  const Socket socket = app.open(address).value();
  Op connect;
  Op cancel;
  app.connect(socket, address, connect.completion);
  world.sim.run_for(100);
  app.cancel(connect.completion, cancel.completion);
  ASSERT_TRUE(world.sim.run_until([&] { return connect.done() && cancel.done(); }, 1));
  EXPECT_EQ(connect.result(), -ECANCELED);
  EXPECT_EQ(cancel.result(), 0);
  world.sim.mend("10.0.0.1", "10.0.0.2");
  app.connect(socket, address, connect.completion);
  ASSERT_TRUE(world.run_until([&] { return connect.done(); }));
  EXPECT_EQ(connect.result(), 0);
  app.close(socket);
  relay.close(listener);
}

TEST(SimNetwork, ClosingAListenerResetsWhoeverWaits) {
  TestWorld world;
  Io &io = world.make();
  const Socket listener = io.listen(Address::loopback(0)).value();
  const Address address = io.local_address(listener).value();
  const Socket client = io.open(address).value();
  Op connect;
  io.connect(client, address, connect.completion);
  ASSERT_TRUE(world.run_until([&] { return connect.done(); }));
  ASSERT_EQ(connect.result(), 0); // the backlog took it
  io.close(listener);
  EXPECT_EQ(final_receive(world, io, client), -ECONNRESET);
  io.close(client);
  EXPECT_EQ(world.sim.leaks(), "");
}

TEST(SimNetwork, AnOutageIsABlackHoleUntilItHeals) {
  TestWorld world;
  Wire wire(world);
  wire.send("before");
  wire.settle();
  world.sim.cut("10.0.0.1", "10.0.0.2");
  EXPECT_EQ(wire.send("during"), 6);
  wire.near_io.shutdown_send(wire.near);
  wire.settle();
  int last = 0;
  EXPECT_EQ(wire.take(last), "before");
  EXPECT_EQ(last, -EAGAIN);
  EXPECT_EQ(wire.near_io.unsent_bytes(wire.near), 7);
  world.sim.heal();
  wire.settle();
  EXPECT_EQ(wire.take(last), "during");
  EXPECT_EQ(last, 0);
  wire.close_both();
}

TEST(SimNetwork, UnacknowledgedBytesAreGivenUp) {
  TestWorld world;
  Wire wire(world);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  wire.send("lost");
  world.sim.run_for(900'000);
  EXPECT_EQ(wire.send("x"), 1);
  world.sim.run_for(100'000);
  EXPECT_EQ(wire.send("x"), -ETIMEDOUT);
  EXPECT_EQ(wire.send("x"), -EPIPE);
  wire.close_both();
}

TEST(SimNetwork, KeepAliveFindsADeadPeerAndOnlyThen) {
  TestWorld world;
  Wire wire(world);
  wire.near_io.set_option(wire.near, SocketOption::kKeepAliveSec, 60);
  Op readable;
  wire.near_io.poll(wire.near, Interest::kReadable, readable.completion);
  world.sim.run_for(3'600'000);
  EXPECT_FALSE(readable.done()); // silence alone is no death
  world.sim.lose(wire.far);
  const std::uint64_t lost_ns = world.sim.now_ns();
  ASSERT_TRUE(world.run_until([&] { return readable.done(); }));
  const auto waited = static_cast<double>(world.sim.now_ns() - lost_ns) / kSecNs;
  EXPECT_NEAR(waited, 60 + kKeepAliveIntervalSec * kKeepAliveProbes, 1.0);
  std::string ignored;
  EXPECT_EQ(receive_text(wire.near_io, wire.near, ignored), -ETIMEDOUT);
  EXPECT_EQ(wire.reply("into nothing"), 12); // its kernel does not know yet
  wire.close_both();
}

TEST(SimNetwork, SilenceCountsFromTheFirstQuestionUntilThePathHeals) {
  TestWorld world;
  Wire wire(world);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  EXPECT_EQ(wire.near_io.silent_ms(wire.near), 0U); // nothing is on its way
  wire.send("lost");
  EXPECT_EQ(wire.near_io.silent_ms(wire.near), 0U);
  world.sim.run_for(70'000);
  EXPECT_EQ(wire.near_io.silent_ms(wire.near), 70'000U);
  world.sim.heal();
  world.sim.run_for(1'000);
  EXPECT_EQ(wire.near_io.silent_ms(wire.near), 0U);
  wire.close_both();
}

TEST(SimNetwork, KeepAliveRestsWhileBytesAreOutstanding) {
  TestWorld world;
  Wire wire(world);
  wire.near_io.set_option(wire.near, SocketOption::kKeepAliveSec, 60);
  world.sim.lose(wire.far);
  world.sim.run_for(1'000);
  wire.send("never acknowledged");
  world.sim.run_for(900'000);
  EXPECT_EQ(wire.send("x"), 1); // Linux probes only an idle connection
  world.sim.run_for(200'000);
  EXPECT_EQ(wire.send("x"), -ETIMEDOUT);
  wire.close_both();
}

TEST(SimNetwork, AMendedPathSavesAnIdleConnectionFromKeepAlive) {
  TestWorld world;
  Wire wire(world);
  wire.near_io.set_option(wire.near, SocketOption::kKeepAliveSec, 60);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  world.sim.run_for(50'000);
  world.sim.mend("10.0.0.1", "10.0.0.2");
  world.sim.run_for(500'000);
  EXPECT_EQ(wire.send("alive"), 5);
  wire.settle();
  int last = 0;
  EXPECT_EQ(wire.take(last), "alive");
  wire.close_both();
}

TEST(SimNetwork, AResetThatWasLostIsAnsweredWhenTheOtherEndSpeaks) {
  TestWorld world;
  Wire wire(world);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  close_reset(wire.near_io, wire.near);
  wire.settle();
  world.sim.heal();
  wire.settle();
  int last = 0;
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -EAGAIN); // it cannot know
  EXPECT_EQ(wire.reply("anybody there?"), 14);
  wire.settle();
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -ECONNRESET);
  wire.far_io.close(wire.far);
}

TEST(SimNetwork, AClogStopsOneDirectionForItsTime) {
  TestWorld world;
  Wire wire(world);
  world.sim.clog(wire.near, 3 * kSecNs);
  wire.send("slow");
  wire.reply("fast");
  world.sim.run_for(2'900);
  int last = 0;
  EXPECT_EQ(wire.take(last), "");
  std::string back;
  EXPECT_EQ(receive_bytes(world, wire.near_io, wire.near, 4, back), 4);
  world.sim.run_for(200);
  EXPECT_EQ(wire.take(last), "slow");
  wire.close_both();
}

TEST(SimNetwork, AnEndThatGaveUpAnswersWithAResetWhenThePathIsBack) {
  TestWorld world;
  Wire wire(world);
  wire.near_io.set_option(wire.near, SocketOption::kKeepAliveSec, 10);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  world.sim.run_for(120'000); // near gives up, far knows nothing
  std::string ignored;
  EXPECT_EQ(receive_text(wire.near_io, wire.near, ignored), -ETIMEDOUT);
  world.sim.mend("10.0.0.1", "10.0.0.2");
  wire.reply("still there?");
  wire.settle();
  int last = 0;
  EXPECT_EQ(wire.take(last), "");
  EXPECT_EQ(last, -ECONNRESET);
  EXPECT_EQ(receive_text(wire.near_io, wire.near, ignored), 0); // told once, and no byte came
  EXPECT_EQ(ignored, "");
  wire.close_both();
}

TEST(SimNetwork, KeepAliveFindsAResetThatWasLost) {
  TestWorld world;
  Wire wire(world);
  wire.far_io.set_option(wire.far, SocketOption::kKeepAliveSec, 30);
  world.sim.cut("10.0.0.1", "10.0.0.2");
  close_reset(wire.near_io, wire.near);
  world.sim.run_for(5'000);
  world.sim.mend("10.0.0.1", "10.0.0.2");
  const std::uint64_t mended_ns = world.sim.now_ns();
  EXPECT_EQ(final_receive(world, wire.far_io, wire.far), -ECONNRESET);
  EXPECT_LE(world.sim.now_ns() - mended_ns, 31 * kSecNs);
  wire.far_io.close(wire.far);
}

/// A connection handed to another shard by mail, as the relay does.
struct Moving final : Mail {
  Socket socket;
};

struct Receiver {
  explicit Receiver(Io &io_of_it) : io(io_of_it) {
    readable.completion.bind<&Op::on_outcome>(readable);
  }
  void on_mail(Mail &mail) {
    socket = static_cast<Moving &>(mail).socket;
    io.poll(socket, Interest::kReadable, readable.completion);
  }
  Io &io;
  Socket socket;
  Op readable;
};

TEST(SimNetwork, AConnectionGoesOnAtAnotherShardWithItsBytes) {
  TestWorld world;
  Wire wire(world);
  SimIo &other = world.sim.make_io("far-2", "10.0.0.2");
  wire.send("head|");
  wire.settle();
  std::string head;
  ASSERT_EQ(receive_text(wire.far_io, wire.far, head, 5), 5);
  wire.send("body");
  Receiver receiver(other);
  Moving letter;
  letter.socket = wire.far;
  letter.address_to<&Receiver::on_mail>(receiver);
  wire.far_io.post(other, letter);
  EXPECT_EQ(other.in_flight(), 1U);
  EXPECT_NE(world.sim.leaks().find("letter"), std::string::npos);
  ASSERT_TRUE(world.run_until([&] { return receiver.readable.done(); }));
  std::string body;
  EXPECT_EQ(receive_text(other, receiver.socket, body), 4);
  EXPECT_EQ(body, "body");
  EXPECT_EQ(send_text(other, receiver.socket, "answer"), 6);
  std::string back;
  EXPECT_EQ(receive_bytes(world, wire.near_io, wire.near, 6, back), 6);
  other.close(receiver.socket);
  wire.near_io.close(wire.near);
  EXPECT_EQ(world.sim.leaks(), "");
}

} // namespace
} // namespace culvert::test
