// A listener's end that cannot wait: it speaks WebSocket right behind its accept head, in the same
// send, and stops in the middle of a frame until it is answered. So the relay has bytes it read too
// far when it moves the connection to the shard of its sender. Every ping must be answered, with
// its own payload; then a tunnel to the target goes on as any listener's.
//
// Used on the one thread of its world; idle() before it dies.
#pragma once

#include "services.hpp"
#include "session.hpp"

#include "link/dial.hpp"
#include "link/frame.hpp"
#include "link/head_reader.hpp"
#include "link/tls.hpp"
#include "tunnel/tunnel.hpp"

#include <deque>
#include <set>

namespace culvert::simtest {

/// One offer served in haste.
class HastyFetch {
public:
  HastyFetch(const Services &services, SimShard &shard, TlsContext *tls, Judge &judge);
  void start(LinkDescription description, const Address &target);
  void stop();
  [[nodiscard]] bool over() const { return over_; }
  /// Its tunnel began, and has ended when over().
  [[nodiscard]] bool joined() const { return joined_; }

private:
  void on_target(Result<Socket> socket);
  void on_relay(Result<Socket> socket);
  void on_tls(Outcome outcome);
  void say_head();
  void send(const std::string &bytes);
  void on_answer();
  void on_receive(Outcome outcome);
  void hear(std::span<const std::byte> bytes);
  void hear_frame();
  void join();
  void on_tunnel_ended(Tunnel &tunnel);
  void fail();
  void on_dropped(Outcome) { settle(); }
  void settle();

  const Services &services_;
  SimShard &shard_;
  TlsContext *tls_context_;
  Judge &judge_;
  LinkDescription description_;
  std::string second_half_; // of what it pipelines
  std::vector<std::string> pings_;
  std::size_t pongs_ = 0;

  Dial target_dial_;
  Dial relay_dial_;
  std::unique_ptr<Link> target_;
  std::unique_ptr<Link> relay_;
  TlsLink *tls_ = nullptr; // the same link as relay_, with TLS
  std::optional<HeadReader> reader_;
  FrameDecoder decoder_{false};
  std::uint64_t payload_left_ = 0;
  std::string frame_; // that is being read
  std::string rest_;  // frames that are the tunnel's
  std::unique_ptr<Tunnel> tunnel_;
  bool heard_ = false; // every pong, or a Close
  bool joined_ = false;
  bool failed_ = false;
  bool over_ = false;
  Timer patience_;
  Completion handshake_;
  Completion receive_;
  Completion target_drop_;
  Completion relay_drop_;
};

class Hasty {
public:
  Hasty(Services &services, const ClientSettings &settings, Judge &judge)
      : services_(services), judge_(judge),
        shard_(services.world, services.log, "hasty", "10.0.8.1", 0, services.held_bytes),
        instances_(services, shard_, settings) {}

  void fetch(const LinkDescription &description, const Address &target);
  void stop();
  [[nodiscard]] bool idle() const;
  /// Tunnels it had.
  [[nodiscard]] std::uint64_t joined() const;
  /// It serves the sender with this id.
  [[nodiscard]] bool serves(const std::string &id) const;
  [[nodiscard]] std::size_t held() const { return shard_.shard.held.held(); }

private:
  const Services &services_;
  Judge &judge_;
  SimShard shard_;
  ClientInstances instances_;
  std::set<std::string> ids_;
  std::deque<std::unique_ptr<HastyFetch>> fetches_;
};

} // namespace culvert::simtest
