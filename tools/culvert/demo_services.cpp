#include "demo_services.hpp"

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <string>
#include <sys/socket.h>

namespace culvert::command {

namespace asio = boost::asio;
using boost::system::error_code;

LocalService::LocalService(std::function<void(Socket &)> serve)
    : serve_(std::move(serve)),
      acceptor_(context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()), thread_([this] { accept(); }) {}

LocalService::~LocalService() {
  stopping_ = true;
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR); // wakes the thread in accept
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (Connection &connection : connections_) {
      ::shutdown(connection.socket.native_handle(), SHUT_RDWR);
    }
  }
  for (Connection &connection : connections_) {
    connection.thread.join();
  }
}

void LocalService::forget_ended() {
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    if (connection->over) {
      connection->thread.join();
      connection = connections_.erase(connection);
    } else {
      ++connection;
    }
  }
}

void LocalService::accept() {
  while (!stopping_) {
    error_code error;
    Socket socket = acceptor_.accept(error);
    if (error) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    forget_ended();
    Connection &connection = connections_.emplace_back(std::move(socket));
    connection.thread = std::thread([this, &connection] {
      serve_(connection.socket);
      error_code ignored;
      connection.socket.shutdown(Socket::shutdown_both, ignored);
      connection.over = true;
    });
  }
}

void serve_http(LocalService::Socket &socket) {
  namespace http = boost::beast::http;
  boost::beast::flat_buffer buffer;
  error_code error;
  while (!error) {
    http::request<http::string_body> request;
    http::read(socket, buffer, request, error);
    if (error) {
      return;
    }
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = std::string(kHttpGreeting) + ": this page came through a relay.\n";
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    http::write(socket, response, error);
    if (!request.keep_alive()) {
      return;
    }
  }
}

void serve_echo(LocalService::Socket &socket) {
  std::array<char, 65536> buffer{};
  error_code error;
  while (true) {
    const std::size_t count = socket.read_some(asio::buffer(buffer), error);
    if (error) {
      return;
    }
    asio::write(socket, asio::buffer(buffer.data(), count), error);
    if (error) {
      return;
    }
  }
}

} // namespace culvert::command
