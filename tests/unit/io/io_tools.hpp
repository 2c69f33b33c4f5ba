// What the tests of the io suite share: recorded operations, connected pairs, whole transfers.
//
// Used by the world's thread. An Op or an Acceptor must be joined before it dies (Completion
// asserts it); sockets are closed by the test.
#pragma once

#include "core/limits.hpp"
#include "unit/io/io_world.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace culvert::test {

inline constexpr std::array kFamilies{Address::Family::kIpv4, Address::Family::kIpv6,
                                      Address::Family::kUnix};
inline constexpr std::array kIpFamilies{Address::Family::kIpv4, Address::Family::kIpv6};

/// One operation and everything it completed with.
struct Op {
  Op() { completion.bind<&Op::on_outcome>(*this); }
  void on_outcome(Outcome outcome) { outcomes.push_back(outcome); }
  [[nodiscard]] bool done() const { return !completion.in_flight() && !outcomes.empty(); }
  [[nodiscard]] int result() const { return outcomes.empty() ? -9999 : outcomes.back().result; }

  Completion completion;
  std::vector<Outcome> outcomes;
};

/// A multishot accept, armed until it is stopped, and the sockets it brought.
struct Acceptor {
  Acceptor(Io &io_of_it, Socket listener_of_it) : io(io_of_it), listener(listener_of_it) {
    completion.bind<&Acceptor::on_accept>(*this);
    cancel.completion.bind<&Op::on_outcome>(cancel);
    io.accept(listener, completion);
  }
  void on_accept(Outcome outcome) {
    if (outcome.result >= 0) {
      accepted.push_back({outcome.result});
    } else {
      errors.push_back(outcome.result);
    }
    if (!outcome.more && !stopping) {
      io.accept(listener, completion);
    }
  }
  /// Cancels, joins and closes the listener.
  [[nodiscard]] bool stop(IoWorld &world) {
    stopping = true;
    if (completion.in_flight()) {
      io.cancel(completion, cancel.completion);
    }
    const bool joined =
        world.run_until([&] { return !completion.in_flight() && !cancel.completion.in_flight(); });
    io.close(listener);
    return joined;
  }

  Io &io;
  Socket listener;
  Completion completion;
  Op cancel;
  bool stopping = false;
  std::vector<Socket> accepted;
  std::vector<int> errors;
};

/// Two connected sockets; `client` did connect(). Not closed by itself.
struct Pair {
  Socket client;
  Socket server;
};

/// Invalid sockets when it failed, with the reason as a test failure.
inline Pair connected_pair(IoWorld &world, Io &io,
                           Address::Family family = Address::Family::kIpv4) {
  Result<Socket> listener = io.listen(world.fresh_address(family));
  if (!listener.ok()) {
    ADD_FAILURE() << listener.status().message;
    return {};
  }
  const Address address = io.local_address(listener.value()).value();
  Acceptor acceptor(io, listener.value());
  Op connect;
  const Socket client = io.open(address).value();
  io.connect(client, address, connect.completion);
  EXPECT_TRUE(world.run_until([&] { return connect.done() && acceptor.accepted.size() == 1; }));
  EXPECT_EQ(connect.result(), 0);
  EXPECT_TRUE(acceptor.stop(world));
  return {client, acceptor.accepted.empty() ? Socket{} : acceptor.accepted.front()};
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// One immediate send of one part.
inline int send_text(Io &io, Socket socket, std::string_view text) {
  const std::array<std::span<const std::byte>, 1> parts{bytes_of(text)};
  return io.send(socket, parts);
}

/// One immediate receive of at most `limit` bytes, appended to `into`.
inline int receive_text(Io &io, Socket socket, std::string &into, std::size_t limit = 65536) {
  const std::size_t before = into.size();
  into.resize(before + limit);
  const int got = io.receive(socket, std::as_writable_bytes(std::span(into).subspan(before)));
  into.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  return got;
}

/// Polls once and joins; the outcome's result.
inline int wait_for(IoWorld &world, Io &io, Socket socket, Interest interest) {
  Op poll;
  io.poll(socket, interest, poll.completion);
  EXPECT_TRUE(world.run_until([&] { return poll.done(); }));
  return poll.result();
}

/// Receives until `count` bytes are there, the end, or an error; what receive() said last.
inline int receive_bytes(IoWorld &world, Io &io, Socket socket, std::size_t count,
                         std::string &into) {
  while (into.size() < count) {
    const int got = receive_text(io, socket, into, count - into.size());
    if (got == -EAGAIN) {
      if (wait_for(world, io, socket, Interest::kReadable) < 0) {
        return -EIO;
      }
    } else if (got <= 0) {
      return got;
    }
  }
  return static_cast<int>(into.size());
}

/// Sends all of it, polling for room; 0 or the negated errno.
inline int send_bytes(IoWorld &world, Io &io, Socket socket, std::string_view text) {
  while (!text.empty()) {
    const int sent = send_text(io, socket, text);
    if (sent == -EAGAIN) {
      wait_for(world, io, socket, Interest::kWritable);
    } else if (sent < 0) {
      return sent;
    } else {
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  return 0;
}

/// What receive() says once it says anything but -EAGAIN.
inline int final_receive(IoWorld &world, Io &io, Socket socket) {
  for (;;) {
    std::string ignored;
    const int got = receive_text(io, socket, ignored);
    if (got != -EAGAIN) {
      return got;
    }
    if (wait_for(world, io, socket, Interest::kReadable) < 0) {
      return -EIO;
    }
  }
}

/// Bytes whose value tells their position.
inline std::string coded(std::size_t size, std::size_t first = 0) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t position = first + i;
    text[i] = static_cast<char>((position * 31 + position / 251) & 0xff);
  }
  return text;
}

inline void close_reset(Io &io, Socket socket) {
  EXPECT_EQ(io.set_option(socket, SocketOption::kLingerZero, 1), 0);
  io.close(socket);
}

/// Sends until the socket takes no more, also after a moment; how much it took in all.
inline std::size_t fill(IoWorld &world, Io &io, Socket socket, std::size_t total = 0) {
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
inline bool stays_silent(IoWorld &world, Io &io, const Op &op) {
  const std::uint64_t later_ns = io.now_ns() + 50'000'000;
  EXPECT_TRUE(world.run_until([&] { return op.done() || io.now_ns() >= later_ns; }));
  return !op.done();
}

/// Until the operation and its cancellation are over.
inline void cancel_and_join(IoWorld &world, Io &io, Op &op) {
  Op cancel;
  io.cancel(op.completion, cancel.completion);
  EXPECT_TRUE(world.run_until([&] { return op.done() && cancel.done(); }));
}

} // namespace culvert::test
