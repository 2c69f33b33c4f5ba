#include "admin_client.hpp"

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <chrono>
#include <optional>

namespace culvert::command {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Protocol = asio::generic::stream_protocol;
using Failure = boost::system::error_code;

constexpr std::uint64_t kMostBytes = 64U << 20U; // of an answer: a process may have many roles

std::optional<Protocol::endpoint> endpoint_of(const HostPort &where) {
  if (!where.unix_path.empty()) {
    if (where.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return std::nullopt;
    }
    return Protocol::endpoint(asio::local::stream_protocol::endpoint(where.unix_path));
  }
  Failure failure;
  const asio::ip::address address = asio::ip::make_address(where.host, failure);
  if (failure) {
    return std::nullopt;
  }
  return Protocol::endpoint(asio::ip::tcp::endpoint(address, where.port));
}

/// The steps of one request, each started by the one before it.
struct Exchange {
  asio::io_context context;
  boost::beast::basic_stream<Protocol> stream{context};
  boost::beast::flat_buffer buffer;
  http::request<http::empty_body> request;
  http::response_parser<http::string_body> response;
  Failure failure;

  void on_connected(const Failure &result) {
    failure = result;
    if (!failure) {
      http::async_write(stream, request,
                        [this](const Failure &sent, std::size_t) { on_sent(sent); });
    }
  }
  void on_sent(const Failure &result) {
    failure = result;
    if (!failure) {
      http::async_read(stream, buffer, response,
                       [this](const Failure &read, std::size_t) { failure = read; });
    }
  }
};

/// What to do about a connection that failed, or an answer that did not come.
std::string remedy_of(const Failure &failure, const HostPort &where) {
  if (failure == boost::beast::error::timeout) {
    return "it accepts connections but does not answer; look into the log of its process";
  }
  if (failure == boost::system::errc::permission_denied && !where.unix_path.empty()) {
    return failure.message() + "; run this as the user of its process, because the socket is for "
                               "its owner (mode 0600), or set another mode in its [admin]";
  }
  return failure.message() + "; is bind of [admin] this address, and the process running?";
}

} // namespace

Status no_admin_address(const std::string &text) {
  return Status::config("--admin '" + text +
                        "' is no address of an admin endpoint; write 127.0.0.1:9464, [::1]:9464 "
                        "or " +
                        kAdminAddress);
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return text;
}

Result<AdminAnswer> ask_admin(const HostPort &where, const std::string &method,
                              const std::string &path, unsigned timeout_ms) {
  const std::optional<Protocol::endpoint> endpoint = endpoint_of(where);
  if (!endpoint) {
    return no_admin_address(where.text());
  }
  Exchange exchange;
  exchange.request.method_string(method);
  exchange.request.target(path);
  exchange.request.version(11);
  exchange.request.set(http::field::host, "localhost");
  exchange.request.prepare_payload();
  exchange.response.body_limit(kMostBytes);
  exchange.stream.expires_after(std::chrono::milliseconds(timeout_ms));
  exchange.stream.async_connect(
      *endpoint, [&exchange](const Failure &connected) { exchange.on_connected(connected); });
  exchange.context.run();
  if (exchange.failure) {
    return Status::machine("no answer from the admin endpoint at " + where.text() + ": " +
                           remedy_of(exchange.failure, where));
  }
  return AdminAnswer{exchange.response.get().result_int(), exchange.response.get().body()};
}

} // namespace culvert::command
