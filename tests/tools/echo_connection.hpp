// One WebSocket connection that echoes every message with its type until the peer closes, for the
// conformance programs of others; either role.
//
// A message is echoed while it still arrives, in frames as large as they may be whatever its own
// were. A peer that writes before it reads is taken kEchoStoreBytes from, then back-pressure holds
// it.
//
// Used on its shard. It owns its links; it may be destroyed once over() is true.
#pragma once

#include "link/head_reader.hpp"
#include "link/head_writer.hpp"
#include "link/http_upgrade.hpp"
#include "link/tls.hpp"
#include "link/websocket.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert::tools {

/// Two of the 16 MiB messages that conformance suites send.
inline constexpr std::size_t kEchoStoreBytes = 32U * 1024 * 1024;

struct EchoRequest {
  std::string authority;
  std::string target;
};

class EchoConnection {
public:
  /// The server's side; the TLS link, if the connection has one, is the same object as `below`.
  EchoConnection(Shard &shard, Digests &digests, std::unique_ptr<Link> below, TlsLink *tls);
  /// The client's side.
  EchoConnection(Shard &shard, Digests &digests, std::unique_ptr<Link> below, TlsLink *tls,
                 EchoRequest request);

  void start();
  [[nodiscard]] bool over() const { return over_; }
  /// What went wrong before there was a WebSocket.
  [[nodiscard]] const Status &status() const { return status_; }

private:
  /// What becomes one frame, behind kHeadroom.
  struct Piece {
    ChunkKind kind = ChunkKind::kBinary;
    bool last = false; // of its message
    std::vector<std::byte> bytes;
  };

  void on_handshake(Outcome outcome);
  void exchange_heads();
  void on_head();
  void answer(const std::string &head);
  void on_written();
  void open();
  void on_receive(Outcome outcome);
  void on_drain(Outcome outcome);
  void store(const Chunk &chunk);
  void send_stored();
  void go_on();
  void close();
  void fail(Status status);
  void on_end(Outcome) { over_ = true; }

  Shard &shard_;
  Digests &digests_;
  std::unique_ptr<Link> link_; // the byte stream, then the WebSocket on it
  TlsLink *tls_;
  std::optional<EchoRequest> request_; // of a client
  std::string key_;
  bool upgraded_ = false;
  bool over_ = false;
  Status status_;
  HeadReader reader_;
  HeadWriter writer_;
  std::deque<Piece> stored_;
  std::size_t stored_bytes_ = 0;
  Completion receive_;
  Completion drain_;
  Completion handshake_;
  Completion end_;
};

/// A shard of its own on io_uring, or a Status that says why there is none.
struct EchoLoop {
  explicit EchoLoop(Log &log, std::unique_ptr<Io> io_of_it)
      : io(std::move(io_of_it)), shard(*io, random, log, 0) {}
  /// One round: sleeps until something is ready, then runs it.
  void round() {
    io->wait(Timers::kNever);
    io->run_ready();
  }

  SystemRandom random;
  std::unique_ptr<Io> io;
  Shard shard;
  Digests digests;
};

/// "127.0.0.1:80", "[::1]:80" or "localhost:80"; the port may be left out if there is a default.
std::optional<Address> parse_address(std::string_view text, std::uint16_t default_port);

} // namespace culvert::tools
