// What an embedder has around an engine, for tests: certificates, configurations, an echo and an
// app with real sockets. Blocking sockets on threads of their own; everything ends with its object.
#pragma once

#include "culvert/engine.hpp"
#include "support/silent_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace culvert::test {

constexpr std::uint64_t kPatienceMs = 60'000;

/// Sends back what comes, until the end; one thread serves one connection after the other.
class EchoService {
public:
  EchoService();
  ~EchoService();
  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  void serve();
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// An app's connection.
class App {
public:
  explicit App(std::uint16_t port);
  ~App();
  App(const App &) = delete;
  App &operator=(const App &) = delete;
  /// Sends the text, ends its direction when told to, and reads as many bytes or to the end.
  bool send(const std::string &text);
  void finish();
  std::string receive(std::size_t count);
  /// 0: a clean end; else the errno.
  int how_it_ended();
  /// Whether the first of the two that ends is reset while the other one is open.
  friend bool one_was_reset(App &one, App &other);

private:
  int socket_ = -1;
  int broken_ = 0; // what receive() met
};

bool one_was_reset(App &one, App &other);

/// A folder with certificates, and configurations that fit together.
class Setting {
public:
  Setting();
  ~Setting();
  [[nodiscard]] RelayConfig relay() const;
  [[nodiscard]] ListenerConfig listener(std::uint16_t relay_port, std::uint16_t target) const;
  [[nodiscard]] SenderConfig sender(std::uint16_t relay_port) const;

  std::string folder;
};

inline constexpr std::array kBackends{Backend::kUring, Backend::kEpoll};
EngineConfig engine_config(bool driven_by_host = false, unsigned shards = 1,
                           Backend backend = Backend::kAuto);
std::size_t open_descriptors();

} // namespace culvert::test
