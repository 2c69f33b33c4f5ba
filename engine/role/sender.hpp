// A sender on one shard: it accepts the app's connections and tunnels each to the entity.
//
// Belongs to its shard; its functions are called there. The listening socket may be shared with
// other shards: the last part to stop closes it. `stopped`, if any, runs once, when nothing is
// left. start() comes on every shard before the first drain(). A set-up that fails resets the app's
// connection, so that no app takes it for an empty answer.
#pragma once

#include "core/slab.hpp"
#include "link/tcp.hpp"
#include "role/acceptor.hpp"
#include "role/counters.hpp"
#include "role/outbound.hpp"
#include "role/tunnel_set.hpp"

#include <memory>
#include <string>

namespace culvert {

struct SenderOptions {
  EntityAddress entity;
  std::uint64_t drain_grace_ms = ShardLimits{}.drain_grace_ms;
};

class Sender {
public:
  Sender(const ClientKit &kit, const SenderOptions &options, RoleCounters &counters,
         Delegate<> stopped);
  Sender(const Sender &) = delete;
  Sender &operator=(const Sender &) = delete;

  /// Before start(): the parts of one listening socket share what they accept.
  void share_with(AcceptGroup &group) { acceptor_.share_with(group); }
  void start(Socket listening);
  /// For the app connections from now on.
  void use(const ClientKit &kit, const SenderOptions &options);
  void drain();
  void drop();

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kStopped };
  /// An app's connection until it is joined.
  struct Waiting {
    Waiting(Sender &sender, Socket socket);
    void on_outbound(Outbound &done);
    void on_dropped(Outcome outcome);

    Sender &owner;
    SlabHandle handle;
    std::string id;
    std::unique_ptr<Link> app;
    Outbound outbound;
    bool redialled = false;
    Completion dropping;
  };

  void on_acceptor_stopped();
  void on_accepted(Socket socket);
  void joined(Waiting &waiting);
  void failed(Waiting &waiting);
  void gone(SlabHandle handle);
  void on_tunnels_empty();
  void check_stopped();

  ClientKit kit_;
  SenderOptions options_;
  RoleCounters &counters_;
  Delegate<> stopped_;
  Phase phase_ = Phase::kRunning;
  Socket listening_;
  Acceptor acceptor_;
  Slab<Waiting> waiting_;
  TunnelSet tunnels_;
  Timer grace_;
};

} // namespace culvert
