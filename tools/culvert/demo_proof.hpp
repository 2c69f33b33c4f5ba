// The demo's proof: real bytes through a tunnel, checked. Plain blocking sockets, as an app has
// them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace culvert::command {

struct EchoProof {
  double mebibytes_per_second = 0; // each way, both at once
  double median_round_trip_ms = 0; // of 64 bytes
  std::uint64_t bytes_checked = 0;
};

/// Through the sender on 127.0.0.1:port to an echo: every byte is compared. Throws a Refusal with
/// the sentence of what went wrong.
EchoProof prove_echo(std::uint16_t port);
/// A GET through the sender on that port; the demo's own page. Throws a Refusal.
std::string prove_http(std::uint16_t port);
/// An app's connection that says nothing: all one can see of a target whose protocol is unknown.
class OpenConnection {
public:
  /// Throws a Refusal when the sender does not listen.
  explicit OpenConnection(std::uint16_t port);
  ~OpenConnection();
  /// True once it was reset or ended.
  bool refused();

private:
  boost::asio::io_context context_;
  std::unique_ptr<boost::asio::ip::tcp::socket> socket_;
};

/// Two ports of 127.0.0.1 that nobody listens on now.
std::pair<std::uint16_t, std::uint16_t> free_ports();

} // namespace culvert::command
