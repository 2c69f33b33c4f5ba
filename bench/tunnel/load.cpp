// The load of the tunnel benchmarks: a server behind the tunnel and clients in front of it, with
// plain blocking sockets and a thread a stream, so that the load is the same whatever is measured.
//
//   load serve PORT                                  sinks, sources and echoes, until it is ended
//   load bulk PORT up|down STREAMS SECONDS           prints: bytes seconds
//   load ping PORT COUNT                             prints: p50_us p99_us, of 64 bytes there and
//   back load open PORT PARALLEL SECONDS                  prints: tunnels seconds; each carries one
//   byte back

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBufferBytes = 256 * 1024;

[[noreturn]] void fail(const char *what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int dial(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (socket < 0 ||
      ::connect(socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

bool send_all(int socket, const char *bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, char *bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::recv(socket, bytes, size, 0);
    if (count <= 0) {
      return false;
    }
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

/// The first byte says what the connection is for.
enum Mode : char { kSink = 'S', kSource = 'D', kEcho = 'E' };

void serve_one(int socket) {
  std::vector<char> buffer(kBufferBytes);
  char mode = 0;
  if (receive_all(socket, &mode, 1)) {
    if (mode == kSource) {
      while (send_all(socket, buffer.data(), buffer.size())) {
      }
    } else {
      ssize_t count = 0;
      while ((count = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0) {
        if (mode == kEcho && !send_all(socket, buffer.data(), static_cast<std::size_t>(count))) {
          break;
        }
      }
    }
  }
  ::close(socket);
}

void serve(std::uint16_t port) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(listening, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
      ::listen(listening, 1024) != 0) {
    fail("listen");
  }
  std::puts("ready");
  std::fflush(stdout);
  while (true) {
    const int socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) {
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      std::thread(serve_one, socket).detach();
    }
  }
}

void bulk(std::uint16_t port, bool up, int streams, double seconds) {
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  std::vector<int> sockets;
  for (int i = 0; i < streams; ++i) {
    const int socket = dial(port);
    const char mode = up ? kSink : kSource;
    send_all(socket, &mode, 1);
    sockets.push_back(socket);
  }
  const Clock::time_point start = Clock::now();
  for (const int socket : sockets) {
    threads.emplace_back([&, socket] {
      std::vector<char> buffer(kBufferBytes);
      while (!over) {
        const ssize_t count = up ? ::send(socket, buffer.data(), buffer.size(), MSG_NOSIGNAL)
                                 : ::recv(socket, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
          break;
        }
        bytes += static_cast<std::uint64_t>(count);
      }
      if (up) { // until the sink has read all of it and closes: what is under way counts as work
        ::shutdown(socket, SHUT_WR);
        ::recv(socket, buffer.data(), 1, 0);
      }
      ::close(socket);
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  over = true;
  for (std::thread &thread : threads) {
    thread.join();
  }
  std::printf("%llu %.3f\n", static_cast<unsigned long long>(bytes.load()),
              std::chrono::duration<double>(Clock::now() - start).count());
}

void ping(std::uint16_t port, int count) {
  const int socket = dial(port);
  const char mode = kEcho;
  send_all(socket, &mode, 1);
  std::array<char, 64> bytes{};
  std::vector<double> times_us;
  for (int i = 0; i < count; ++i) {
    const Clock::time_point start = Clock::now();
    if (!send_all(socket, bytes.data(), bytes.size()) ||
        !receive_all(socket, bytes.data(), bytes.size())) {
      fail("ping");
    }
    times_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times_us.begin(), times_us.end());
  std::printf("%.1f %.1f\n", times_us[times_us.size() / 2], times_us[times_us.size() * 99 / 100]);
}

void open(std::uint16_t port, int parallel, double seconds) {
  std::atomic<std::uint64_t> tunnels = 0;
  std::vector<std::thread> threads;
  const Clock::time_point start = Clock::now();
  const Clock::time_point end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (int i = 0; i < parallel; ++i) {
    threads.emplace_back([&] {
      while (Clock::now() < end) {
        const int socket = dial(port);
        std::array<char, 2> bytes{kEcho, 'x'};
        if (send_all(socket, bytes.data(), 2) && receive_all(socket, bytes.data(), 1)) {
          ++tunnels;
        }
        ::close(socket);
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  std::printf("%llu %.3f\n", static_cast<unsigned long long>(tunnels.load()),
              std::chrono::duration<double>(Clock::now() - start).count());
}

} // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto is = [&](const char *name, std::size_t count) {
    return words.size() == count && words[0] == name;
  };
  const auto port = static_cast<std::uint16_t>(words.size() > 1 ? std::atoi(words[1].c_str()) : 0);
  if (is("serve", 2)) {
    serve(port);
  } else if (is("bulk", 5)) {
    bulk(port, words[2] == "up", std::atoi(words[3].c_str()), std::atof(words[4].c_str()));
  } else if (is("ping", 3)) {
    ping(port, std::atoi(words[2].c_str()));
  } else if (is("open", 4)) {
    open(port, std::atoi(words[2].c_str()), std::atof(words[3].c_str()));
  } else {
    std::fputs("usage: load serve|bulk|ping|open ...; see the top of load.cpp\n", stderr);
    return 2;
  }
  return 0;
}
