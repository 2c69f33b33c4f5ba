#include "demo_proof.hpp"

#include "command.hpp"
#include "demo_services.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <vector>

namespace culvert::command {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 64U * 1024;
constexpr std::size_t kPieces = 1024; // 64 MiB each way: a second or two
constexpr int kRoundTrips = 200;

[[noreturn]] void fail(const std::string &sentence) {
  throw Refusal{kExitFailure, sentence};
}

Tcp::socket connect(asio::io_context &context, std::uint16_t port) {
  Tcp::socket socket(context);
  error_code error;
  socket.connect(Tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
  if (error) {
    fail("cannot connect to the sender on 127.0.0.1:" + std::to_string(port) + ": " +
         error.message());
  }
  socket.set_option(Tcp::no_delay(true));
  return socket;
}

/// A byte that tells its position, so that lost, doubled and swapped bytes all show.
void fill(std::vector<char> &piece, std::uint64_t offset) {
  for (std::size_t i = 0; i < piece.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t word = (offset + i) * 0x9E3779B97F4A7C15U;
    std::copy_n(reinterpret_cast<const char *>(&word), sizeof word, piece.data() + i);
  }
}

double measure_bulk(Tcp::socket &socket) {
  const Clock::time_point start = Clock::now();
  std::thread writer([&socket] {
    std::vector<char> piece(kPieceBytes);
    error_code error;
    for (std::size_t i = 0; i < kPieces && !error; ++i) {
      fill(piece, i * kPieceBytes);
      asio::write(socket, asio::buffer(piece), error);
    }
  });
  std::vector<char> expected(kPieceBytes);
  std::vector<char> received(kPieceBytes);
  std::string problem;
  for (std::size_t i = 0; i < kPieces && problem.empty(); ++i) {
    error_code error;
    asio::read(socket, asio::buffer(received), error);
    fill(expected, i * kPieceBytes);
    if (error) {
      problem = "the tunnel to the echo broke: " + error.message();
    } else if (received != expected) {
      problem = "the echo sent back other bytes than it was given";
    }
  }
  if (!problem.empty()) {
    error_code ignored;
    socket.close(ignored);
  }
  writer.join();
  if (!problem.empty()) {
    fail(problem);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return static_cast<double>(kPieces * kPieceBytes) / (1024 * 1024) / seconds;
}

double measure_round_trips(Tcp::socket &socket) {
  std::vector<char> ping(64);
  std::vector<char> pong(64);
  std::vector<double> times_ms;
  for (int i = 0; i < kRoundTrips; ++i) {
    fill(ping, static_cast<std::uint64_t>(i) * 64);
    const Clock::time_point start = Clock::now();
    error_code error;
    asio::write(socket, asio::buffer(ping), error);
    if (!error) {
      asio::read(socket, asio::buffer(pong), error);
    }
    if (error || pong != ping) {
      fail("a round trip to the echo failed: " + (error ? error.message() : "wrong bytes"));
    }
    times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::nth_element(times_ms.begin(), times_ms.begin() + kRoundTrips / 2, times_ms.end());
  return times_ms[kRoundTrips / 2];
}

} // namespace

EchoProof prove_echo(std::uint16_t port) {
  asio::io_context context;
  Tcp::socket socket = connect(context, port);
  EchoProof proof;
  proof.median_round_trip_ms = measure_round_trips(socket);
  proof.mebibytes_per_second = measure_bulk(socket);
  proof.bytes_checked = kPieces * kPieceBytes + kRoundTrips * 64;
  error_code error;
  socket.shutdown(Tcp::socket::shutdown_send, error);
  char byte = 0;
  asio::read(socket, asio::buffer(&byte, 1), error);
  if (error != asio::error::eof) {
    fail("the echo's end did not come through the tunnel");
  }
  return proof;
}

std::string prove_http(std::uint16_t port) {
  namespace http = boost::beast::http;
  asio::io_context context;
  Tcp::socket socket = connect(context, port);
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "demo");
  request.keep_alive(false);
  error_code error;
  http::write(socket, request, error);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  if (!error) {
    http::read(socket, buffer, response, error);
  }
  if (error) {
    fail("no answer from the built-in HTTP server through the tunnel: " + error.message());
  }
  if (response.result() != http::status::ok || !response.body().starts_with(kHttpGreeting)) {
    fail("the built-in HTTP server's answer came through changed");
  }
  return response.body();
}

OpenConnection::OpenConnection(std::uint16_t port)
    : socket_(std::make_unique<Tcp::socket>(connect(context_, port))) {}

OpenConnection::~OpenConnection() = default;

bool OpenConnection::refused() {
  socket_->non_blocking(true);
  char byte = 0;
  error_code error;
  socket_->receive(asio::buffer(&byte, 1), Tcp::socket::message_peek, error);
  return error && error != asio::error::would_block && error != asio::error::try_again;
}

std::pair<std::uint16_t, std::uint16_t> free_ports() {
  asio::io_context context;
  const Tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
  const Tcp::acceptor first(context, any);
  const Tcp::acceptor second(context, any);
  return {first.local_endpoint().port(), second.local_endpoint().port()};
}

} // namespace culvert::command
