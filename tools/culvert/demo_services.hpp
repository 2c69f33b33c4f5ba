// The two services behind the demo's tunnels: a small HTTP server and an echo. Each has a thread
// that accepts and one for every connection, ends with its object, and listens on 127.0.0.1.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace culvert::command {

class LocalService {
public:
  using Socket = boost::asio::ip::tcp::socket;
  /// `serve` runs on a thread of the connection and ends it.
  explicit LocalService(std::function<void(Socket &)> serve);
  LocalService(const LocalService &) = delete;
  LocalService &operator=(const LocalService &) = delete;
  ~LocalService();
  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  struct Connection {
    explicit Connection(Socket accepted) : socket(std::move(accepted)) {}
    Socket socket;
    std::atomic<bool> over = false;
    std::thread thread;
  };
  void accept();
  void forget_ended();

  std::function<void(Socket &)> serve_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<Connection> connections_;
  std::thread thread_;
};

/// Answers every request with a page.
void serve_http(LocalService::Socket &socket);
/// Sends back what it receives, until the other side's end.
void serve_echo(LocalService::Socket &socket);

/// The page's first words, by which a client knows it.
inline constexpr const char *kHttpGreeting = "Culvert works";

} // namespace culvert::command
