// What only a real kernel and real threads can show, on both backends that have them.
#include "io/epoll/epoll_io.hpp"
#include "io/socket_calls.hpp"
#include "io/uring/uring_io.hpp"
#include "support/silent_log.hpp"
#include "unit/io/io_tools.hpp"
#include "unit/io/kernel_suite.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace culvert::test {
namespace {

Result<std::unique_ptr<Io>> make_uring() {
  SilentLog log;
  return make_uring_io(log);
}

INSTANTIATE_TEST_SUITE_P(Backends, KernelSuite,
                         testing::Values(Backend{"uring", &make_uring, &make_uring_world},
                                         Backend{"epoll", &make_epoll_io, &make_epoll_world}),
                         [](const auto &info) { return info.param.name; });

TEST_P(KernelSuite, AListenerThatCannotBeSaysWhatToChange) {
  const auto io = make();
  struct Case {
    Address address;
    int error;
    const char *advice;
  };
  for (const Case &row :
       {Case{Address::unix_path("/nowhere/socket"), ENOENT, "unix:/nowhere/socket"},
        Case{Address::unix_path(std::string(200, 'x')), ENAMETOOLONG, "at most 107 bytes"},
        Case{Address::unix_path(""), EINVAL, "cannot listen on unix:"},
        Case{*Address::from_literal("203.0.113.7", 0), EADDRNOTAVAIL, "no interface"},
        Case{Address{}, EAFNOSUPPORT, "cannot listen on none"}}) {
    const Result<Socket> result = io->listen(row.address);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.status().os_error, row.error) << result.status().message;
    EXPECT_NE(result.status().message.find(row.advice), std::string::npos)
        << result.status().message;
  }
}

TEST_P(KernelSuite, TwoEndsAreNotABreak) {
  const auto world = GetParam().make_world();
  Io &io = world->make();
  const Pair pair = connected_pair(*world, io);
  Op broken;
  Op cancel;
  io.poll(pair.server, Interest::kBroken, broken.completion);
  EXPECT_EQ(io.shutdown_send(pair.client), 0);
  EXPECT_EQ(io.shutdown_send(pair.server), 0);
  EXPECT_EQ(final_receive(*world, io, pair.server), 0);
  EXPECT_EQ(final_receive(*world, io, pair.client), 0);
  io.cancel(broken.completion, cancel.completion);
  EXPECT_TRUE(world->run_until([&] { return broken.done() && cancel.done(); }));
  EXPECT_EQ(broken.result(), -ECANCELED); // poll(2) would have said POLLHUP
  io.close(pair.client);
  io.close(pair.server);
}

TEST_P(KernelSuite, AHostsPollSeesCompletionsMailAndDeadlines) {
  const auto io = make();
  // epoll, because it sees a wake-up that was really given; poll() looks once more when time is up.
  const int host = epoll_create1(EPOLL_CLOEXEC);
  epoll_event interest{};
  interest.events = EPOLLIN;
  ASSERT_EQ(epoll_ctl(host, EPOLL_CTL_ADD, io->descriptor(), &interest), 0);
  const auto readable = [&](int timeout_ms) {
    epoll_event event{};
    int count = 0;
    do { // work of a ring that is gone may interrupt the wait
      count = epoll_wait(host, &event, 1, timeout_ms);
    } while (count < 0 && errno == EINTR);
    return count == 1;
  };
  const auto run_all = [&] {
    while (io->run_ready()) {
    }
  };
  /// Sleeps on the descriptor alone; false when it stayed silent although something was due.
  const auto host_until = [&](const std::function<bool()> &predicate) {
    for (run_all(); !predicate(); run_all()) {
      if (!readable(20'000)) {
        return false;
      }
    }
    return true;
  };
  run_all();
  EXPECT_FALSE(readable(0)); // idle

  const Socket listener = io->listen(Address::loopback(0)).value();
  const Address address = io->local_address(listener).value();
  Op accept;
  Op connect;
  const Socket client = io->open(address).value();
  io->accept(listener, accept.completion);
  run_all();
  EXPECT_FALSE(readable(0));
  io->connect(client, address, connect.completion);
  ASSERT_TRUE(host_until([&] { return connect.done() && !accept.outcomes.empty(); }));
  EXPECT_EQ(connect.result(), 0);

  struct Receiver {
    void on_mail(Mail &) { ++count; }
    int count = 0;
  } receiver;
  Mail mail;
  mail.address_to<&Receiver::on_mail>(receiver);
  std::thread poster([&] { io->deliver(mail); });
  EXPECT_TRUE(host_until([&] { return receiver.count == 1; }));
  poster.join();
  EXPECT_EQ(io->nearest_deadline_ns(), Timers::kNever);

  Op cancel;
  io->cancel(accept.completion, cancel.completion);
  ASSERT_TRUE(host_until([&] { return io->in_flight() == 0; }));
  io->close({accept.outcomes.front().result});
  io->close(client);
  io->close(listener);
  ::close(host);
}

/// What a child with a small limit of descriptors finds; 0 when all is as promised.
int accept_without_descriptors(const Backend &backend) {
  const auto io = std::move(backend.make().value());
  const Socket listener = io->listen(Address::loopback(0)).value();
  const Address address = io->local_address(listener).value();
  const Socket client = io->open(address).value();
  // A sanitizer needs descriptors when it meets a class for the first time, so each is met before.
  Op first;
  Op end;
  io->accept(listener, first.completion);
  io->cancel(first.completion, end.completion);
  while (io->in_flight() > 0) {
    io->run_ready();
    io->wait(io->now_ns() + 5'000'000);
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const int next = dup(0);
  ::close(next);
  limit.rlim_cur = static_cast<rlim_t>(next); // no descriptor is left
  setrlimit(RLIMIT_NOFILE, &limit);
  Op accept;
  Op connect;
  io->accept(listener, accept.completion);
  io->connect(client, address, connect.completion);
  const std::uint64_t deadline_ns = io->now_ns() + 20'000'000'000;
  while (io->in_flight() > 0 && io->now_ns() < deadline_ns) {
    io->run_ready();
    io->wait(io->now_ns() + 5'000'000);
  }
  if (accept.outcomes.size() != 1 || accept.result() != -EMFILE || accept.outcomes[0].more) {
    return 1;
  }
  if (io->open(address).status().code != Code::kNoDescriptor) {
    return 2;
  }
  limit.rlim_cur = static_cast<rlim_t>(next) + 8;
  setrlimit(RLIMIT_NOFILE, &limit);
  io->accept(listener, accept.completion); // the connection waited in the queue
  while (accept.outcomes.size() < 2 && io->now_ns() < deadline_ns) {
    io->run_ready();
    io->wait(io->now_ns() + 5'000'000);
  }
  _exit(accept.outcomes.size() == 2 && accept.result() >= 0 ? 0 : 3); // with the accept armed
}

TEST_P(KernelSuite, AcceptWithoutADescriptorSaysSoOnceAndCanBeArmedAgain) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    _exit(accept_without_descriptors(GetParam()));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// A unix socket that listens with room for one connection.
Socket crowded_listener(const Address &address) {
  const Socket listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  socket_calls::KernelAddress kernel;
  EXPECT_EQ(socket_calls::to_kernel(address, kernel), 0);
  EXPECT_EQ(::bind(listener.id, kernel.get(), kernel.length), 0);
  EXPECT_EQ(::listen(listener.id, 0), 0);
  return listener;
}

TEST_P(KernelSuite, AConnectToACrowdedUnixSocketWaitsForRoom) {
  const auto world = GetParam().make_world();
  Io &io = world->make();
  const Address address = world->fresh_address(Address::Family::kUnix);
  const Socket listener = crowded_listener(address);
  std::array<Op, 2> connects;
  std::array<Socket, 2> clients;
  for (std::size_t i = 0; i < connects.size(); ++i) {
    clients[i] = io.open(address).value();
    io.connect(clients[i], address, connects[i].completion);
  }
  EXPECT_TRUE(world->run_until([&] { return connects[0].done(); }));
  EXPECT_FALSE(connects[1].done());
  Acceptor acceptor(io, listener);
  EXPECT_TRUE(world->run_until([&] { return acceptor.accepted.size() == 2; }));
  EXPECT_TRUE(world->run_until([&] { return connects[1].done(); }));
  EXPECT_EQ(connects[0].result(), 0);
  EXPECT_EQ(connects[1].result(), 0);
  EXPECT_TRUE(acceptor.stop(*world));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    io.close(clients[i]);
    io.close(acceptor.accepted[i]);
  }
  EXPECT_EQ(world->open_sockets(), 0U);
}

TEST(Epoll, ACancelledConnectToACrowdedUnixSocketEnds) {
  const auto world = make_epoll_world();
  Io &io = world->make();
  const Address address = world->fresh_address(Address::Family::kUnix);
  const Socket listener = crowded_listener(address);
  std::array<Op, 3> connects;
  std::array<Socket, 3> clients;
  for (std::size_t i = 0; i < connects.size(); ++i) {
    clients[i] = io.open(address).value();
    io.connect(clients[i], address, connects[i].completion);
  }
  Op cancel;
  io.cancel(connects[1].completion, cancel.completion);
  EXPECT_TRUE(world->run_until([&] { return connects[1].done() && cancel.done(); }));
  EXPECT_EQ(connects[1].result(), -ECANCELED);
  EXPECT_FALSE(connects[2].done());
  Acceptor acceptor(io, listener); // the others go on
  EXPECT_TRUE(world->run_until([&] { return connects[2].done(); }));
  EXPECT_EQ(connects[2].result(), 0);
  EXPECT_TRUE(world->run_until([&] { return acceptor.accepted.size() == 2; }));
  EXPECT_TRUE(acceptor.stop(*world));
  for (const Socket socket :
       {clients[0], clients[1], clients[2], acceptor.accepted[0], acceptor.accepted[1]}) {
    io.close(socket);
  }
}

TEST_P(KernelSuite, TheNumberOfASocketThatWentToAnotherShardIsANewSocketLater) {
  const auto world = GetParam().make_world();
  Io &first = world->make();
  Io &second = world->make();
  const Pair pair = connected_pair(*world, first);
  ASSERT_EQ(send_text(first, pair.client, "x"), 1);
  EXPECT_GE(wait_for(*world, first, pair.server, Interest::kReadable), 0);
  first.leave(pair.server);
  EXPECT_GE(wait_for(*world, second, pair.server, Interest::kReadable), 0);
  second.close(pair.server);
  first.close(pair.client);
  const Pair again = connected_pair(*world, first);
  const std::array<int, 2> before{pair.client.id, pair.server.id};
  EXPECT_NE(std::find(before.begin(), before.end(), again.client.id), before.end());
  for (const auto &[from, to] :
       {std::pair{again.client, again.server}, std::pair{again.server, again.client}}) {
    ASSERT_EQ(send_text(first, from, "y"), 1);
    EXPECT_GE(wait_for(*world, first, to, Interest::kReadable), 0);
  }
  first.close(again.client);
  first.close(again.server);
}

} // namespace
} // namespace culvert::test
