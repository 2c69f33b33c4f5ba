// An HTTP proxy between clients and the relay: it answers CONNECT, dials the relay, and then passes
// bytes on. It may refuse, or say nothing.
//
// Used on the one thread of its world; idle() before it dies.
#pragma once

#include "services.hpp"
#include "session.hpp"

#include "link/dial.hpp"
#include "link/head_reader.hpp"
#include "link/head_writer.hpp"
#include "role/acceptor.hpp"
#include "tunnel/tunnel.hpp"

#include <deque>

namespace culvert::simtest {

/// One client's connection: kAsked -> kDialling -> kAnswering -> kTunnel -> kOver. A refusal goes
/// from kAsked, or from a dial that failed, to kRefusing.
class ProxyConnection {
public:
  ProxyConnection(Services &services, SimShard &shard, Judge &judge, Socket client);
  /// Ends it at once.
  void cut();
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] bool joined() const { return joined_; }

private:
  void on_asked();
  void refuse(const std::string &answer);
  void on_relay(Result<Socket> socket);
  void answer(std::string head);
  void on_answered();
  void on_tunnel_ended(Tunnel &tunnel);
  void on_dropped(Outcome) { settle(); }
  void settle();

  Services &services_;
  SimShard &shard_;
  Judge &judge_;
  std::unique_ptr<Link> client_;
  std::unique_ptr<Link> relay_;
  std::unique_ptr<Tunnel> tunnel_;
  bool refuses_ = false;
  bool cut_ = false;
  bool joined_ = false;
  bool over_ = false;
  std::optional<HeadReader> reader_; // on client_, like the writer
  std::optional<HeadWriter> writer_;
  Dial dial_;
  Timer patience_; // of a silence, and with a client that does not ask
  Completion client_drop_;
  Completion relay_drop_;
};

class ProxyHost {
public:
  ProxyHost(Services &services, Judge &judge);
  void start();
  /// Ends every connection.
  void cut();
  /// Takes no more, and ends every connection.
  void stop();
  [[nodiscard]] bool idle() const;
  /// Clients that it has led to the relay.
  [[nodiscard]] std::uint64_t joined() const;
  [[nodiscard]] std::size_t held() const { return shard_.shard.held.held(); }

private:
  void on_arrived(Socket socket);
  void on_stopped();

  Services &services_;
  SimShard shard_;
  Judge &judge_;
  Socket listening_;
  Acceptor acceptor_;
  std::deque<std::unique_ptr<ProxyConnection>> connections_;
};

} // namespace culvert::simtest
