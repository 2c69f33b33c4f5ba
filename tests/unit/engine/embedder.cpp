#include "unit/engine/embedder.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace culvert::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

} // namespace

EchoService::EchoService() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address);
  ::listen(socket_, 16);
  ::getsockname(socket_, reinterpret_cast<sockaddr *>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

EchoService::~EchoService() {
  stopping_ = true;
  ::shutdown(socket_, SHUT_RDWR);
  thread_.join();
  ::close(socket_);
}

void EchoService::serve() {
  while (!stopping_) {
    const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    char buffer[65536];
    ssize_t count = 0;
    while (peer >= 0 && (count = ::recv(peer, buffer, sizeof buffer, 0)) > 0 &&
           ::send(peer, buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count) {
    }
    if (peer >= 0) {
      ::close(peer);
    }
  }
}

App::App(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{static_cast<time_t>(kPatienceMs / 1000), 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
}

App::~App() {
  ::close(socket_);
}

bool App::send(const std::string &text) {
  return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

void App::finish() {
  ::shutdown(socket_, SHUT_WR);
}

std::string App::receive(std::size_t count) {
  std::string text(count, '\0');
  std::size_t size = 0;
  while (size < count) {
    const ssize_t got = ::recv(socket_, text.data() + size, count - size, 0);
    if (got < 0 && errno == EINTR) {
      continue; // a ring that ended on this thread interrupts once
    }
    if (got <= 0) {
      broken_ = got < 0 ? errno : 0; // the socket says it once
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

int App::how_it_ended() {
  char byte = 0;
  ssize_t got = 0;
  while ((got = ::recv(socket_, &byte, 1, 0)) > 0 || (got < 0 && errno == EINTR)) {
  }
  return got == 0 ? broken_ : errno;
}

bool one_was_reset(App &one, App &other) {
  std::array<pollfd, 2> sockets{{{one.socket_, POLLIN, 0}, {other.socket_, POLLIN, 0}}};
  if (::poll(sockets.data(), sockets.size(), 20'000) != 1) {
    return false;
  }
  return (sockets[0].revents != 0 ? one : other).how_it_ended() == ECONNRESET;
}

Setting::Setting() {
  std::string path = ::testing::TempDir() + "culvert-engine-XXXXXX";
  folder = ::mkdtemp(path.data());
  EXPECT_TRUE(make_throwaway_certificates(folder, {"127.0.0.1"}).ok());
}

Setting::~Setting() {
  std::filesystem::remove_all(folder);
}

RelayConfig Setting::relay() const {
  RelayConfig config;
  config.bind = {"127.0.0.1", 0, ""};
  config.tls_certificate_file = folder + "/relay.pem";
  config.tls_key_file = folder + "/relay.key";
  config.names = {"127.0.0.1"};
  config.entities.push_back({"app", {}});
  RuleConfig rule{"both", {true, true, false}, Secret(std::string_view("a-key-of-tests")), {}};
  config.rules.push_back(std::move(rule));
  config.protocols = {"transport_azure"};
  return config;
}

namespace {

template <typename Config> Config client(const std::string &folder, std::uint16_t relay_port) {
  Config config;
  Result<ConnectionString> connection = ConnectionString::parse(
      "Endpoint=sb://127.0.0.1:" + std::to_string(relay_port) +
      "/;SharedAccessKeyName=both;SharedAccessKey=a-key-of-tests;EntityPath=app");
  EXPECT_TRUE(connection.ok());
  config.connection = std::move(connection.value());
  config.ca_file = folder + "/ca.pem";
  return config;
}

} // namespace

ListenerConfig Setting::listener(std::uint16_t relay_port, std::uint16_t target) const {
  auto config = client<ListenerConfig>(folder, relay_port);
  config.target = {"127.0.0.1", target, ""};
  return config;
}

SenderConfig Setting::sender(std::uint16_t relay_port) const {
  auto config = client<SenderConfig>(folder, relay_port);
  config.bind = {"127.0.0.1", 0, ""};
  return config;
}

EngineConfig engine_config(bool driven_by_host, unsigned shards, Backend backend) {
  EngineConfig config;
  config.plugin_directories = {CULVERT_TEST_PLUGIN_DIRECTORY};
  config.driven_by_host = driven_by_host;
  config.shards = shards;
  config.backend = backend;
  return config;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

} // namespace culvert::test
