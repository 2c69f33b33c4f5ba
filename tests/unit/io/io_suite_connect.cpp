// Listen, accept, connect and close, on every backend.
#include "unit/io/io_tools.hpp"

#include <algorithm>
#include <set>

namespace culvert::test {
namespace {

constexpr std::array kFamilies{Address::Family::kIpv4, Address::Family::kIpv6,
                               Address::Family::kUnix};

TEST_P(IoSuite, EchoesOnEveryFamily) {
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    Io &io = world->make();
    const Pair pair = connected_pair(*world, io, family);
    ASSERT_TRUE(pair.server.valid());
    ASSERT_EQ(send_bytes(*world, io, pair.client, "ping"), 0);
    std::string there;
    EXPECT_EQ(receive_bytes(*world, io, pair.server, 4, there), 4);
    ASSERT_EQ(send_bytes(*world, io, pair.server, there + "pong"), 0);
    std::string back;
    EXPECT_EQ(receive_bytes(*world, io, pair.client, 8, back), 8);
    EXPECT_EQ(back, "pingpong");
    io.close(pair.client);
    io.close(pair.server);
    EXPECT_EQ(io.in_flight(), 0U);
    EXPECT_EQ(world->open_sockets(), 0U);
  }
}

TEST_P(IoSuite, PortZeroPicksDifferentFreePorts) {
  Io &io = world->make();
  for (const Address::Family family : {Address::Family::kIpv4, Address::Family::kIpv6}) {
    const Socket first = io.listen(world->fresh_address(family)).value();
    const Socket second = io.listen(world->fresh_address(family)).value();
    const Address one = io.local_address(first).value();
    const Address other = io.local_address(second).value();
    EXPECT_EQ(one.family, family);
    EXPECT_GT(one.port, 0);
    EXPECT_GT(other.port, 0);
    EXPECT_NE(one.port, other.port);
    EXPECT_EQ(one.host(), world->fresh_address(family).host());
    io.close(first);
    io.close(second);
  }
}

TEST_P(IoSuite, BothEndsKnowTheirAddresses) {
  Io &io = world->make();
  for (const Address::Family family : {Address::Family::kIpv4, Address::Family::kIpv6}) {
    const Pair pair = connected_pair(*world, io, family);
    EXPECT_EQ(io.local_address(pair.client).value(), io.peer_address(pair.server).value());
    EXPECT_EQ(io.peer_address(pair.client).value(), io.local_address(pair.server).value());
    EXPECT_GT(io.local_address(pair.client).value().port, 0);
    io.close(pair.client);
    io.close(pair.server);
  }
}

TEST_P(IoSuite, ListeningTwiceOnOneAddressSaysSo) {
  Io &io = world->make();
  for (const Address::Family family : kFamilies) {
    const Socket first = io.listen(world->fresh_address(family)).value();
    const Address taken = io.local_address(first).value();
    const Result<Socket> second = io.listen(taken);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.status().os_error, EADDRINUSE);
    EXPECT_EQ(second.status().source, Source::kLocal);
    EXPECT_NE(second.status().message.find(taken.text()), std::string::npos)
        << second.status().message;
    io.close(first);
  }
}

TEST_P(IoSuite, ConnectWhereNobodyListensIsRefused) {
  Io &io = world->make();
  for (const Address::Family family : {Address::Family::kIpv4, Address::Family::kIpv6}) {
    const Socket listener = io.listen(world->fresh_address(family)).value();
    const Address address = io.local_address(listener).value();
    io.close(listener);
    const Socket client = io.open(address).value();
    Op connect;
    io.connect(client, address, connect.completion);
    EXPECT_TRUE(connect.outcomes.empty()); // never from inside the call
    EXPECT_TRUE(world->run_until([&] { return connect.done(); }));
    EXPECT_EQ(connect.result(), -ECONNREFUSED);
    io.close(client);
  }
  EXPECT_EQ(io.in_flight(), 0U);
}

TEST_P(IoSuite, ConnectToAMissingUnixPathFails) {
  Io &io = world->make();
  const Address address = world->fresh_address(Address::Family::kUnix);
  const Socket client = io.open(address).value();
  Op connect;
  io.connect(client, address, connect.completion);
  EXPECT_TRUE(world->run_until([&] { return connect.done(); }));
  EXPECT_EQ(connect.result(), -ENOENT);
  io.close(client);
}

TEST_P(IoSuite, AcceptBringsABurstOfHundreds) {
  constexpr std::size_t kBurst = 700; // more than one submission queue
  Io &io = world->make();
  const Socket listener = io.listen(world->fresh_address(Address::Family::kIpv4)).value();
  const Address address = io.local_address(listener).value();
  Acceptor acceptor(io, listener);
  std::vector<Socket> clients;
  std::vector<Op> connects(kBurst);
  for (Op &connect : connects) {
    clients.push_back(io.open(address).value());
    io.connect(clients.back(), address, connect.completion);
  }
  EXPECT_TRUE(world->run_until([&] {
    return acceptor.accepted.size() == kBurst &&
           std::all_of(connects.begin(), connects.end(), [](const Op &op) { return op.done(); });
  }));
  std::set<std::uint16_t> ports;
  for (const Socket socket : acceptor.accepted) {
    ports.insert(io.peer_address(socket).value().port);
    io.close(socket);
  }
  EXPECT_EQ(ports.size(), kBurst);
  for (std::size_t i = 0; i < kBurst; ++i) {
    EXPECT_EQ(connects[i].outcomes.size(), 1U);
    EXPECT_EQ(connects[i].result(), 0);
    io.close(clients[i]);
  }
  EXPECT_TRUE(acceptor.errors.empty());
  EXPECT_TRUE(acceptor.stop(*world));
  EXPECT_EQ(io.in_flight(), 0U);
  EXPECT_EQ(world->open_sockets(), 0U);
}

TEST_P(IoSuite, TwoShardsAcceptOnOneListener) {
  constexpr std::size_t kConnections = 64;
  Io &first = world->make();
  Io &second = world->make();
  const Socket listener = first.listen(world->fresh_address(Address::Family::kIpv4)).value();
  const Address address = first.local_address(listener).value();
  Acceptor one(first, listener);
  Acceptor other(second, listener);
  std::vector<Socket> clients;
  std::vector<Op> connects(kConnections);
  for (Op &connect : connects) {
    clients.push_back(second.open(address).value());
    second.connect(clients.back(), address, connect.completion);
  }
  EXPECT_TRUE(world->run_until(
      [&] { return one.accepted.size() + other.accepted.size() == kConnections; }));
  other.stopping = true;
  if (other.completion.in_flight()) {
    second.cancel(other.completion, other.cancel.completion);
  }
  EXPECT_TRUE(world->run_until([&] {
    return second.in_flight() == 0 &&
           std::all_of(connects.begin(), connects.end(), [](const Op &op) { return op.done(); });
  }));
  EXPECT_TRUE(one.stop(*world));
  for (const Socket socket : one.accepted) {
    first.close(socket);
  }
  for (const Socket socket : other.accepted) {
    second.close(socket);
  }
  for (const Socket socket : clients) {
    second.close(socket);
  }
  EXPECT_EQ(world->open_sockets(), 0U);
}

TEST_P(IoSuite, EveryOptionIsTakenByEveryFamily) {
  Io &io = world->make();
  for (const Address::Family family : kFamilies) {
    SCOPED_TRACE(static_cast<int>(family));
    const Pair pair = connected_pair(*world, io, family);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kNoDelay, 1), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kKeepAliveSec, 60), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kKeepAliveSec, 0), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kSendBuffer, 65536), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kReceiveBuffer, 65536), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kLingerZero, 1), 0);
    EXPECT_EQ(io.set_option(pair.client, SocketOption::kLingerZero, 0), 0);
    io.close(pair.client); // linger is off again: a clean end
    EXPECT_EQ(final_receive(*world, io, pair.server), 0);
    io.close(pair.server);
  }
}

} // namespace
} // namespace culvert::test
