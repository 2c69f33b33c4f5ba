// The part of a listener on one shard: it serves offers. One of the parts also keeps the control
// channel to the relay, and deals the offers that it receives there out to all parts in turn: a
// relay sees one listener, however many shards it has.
//
// Belongs to its shard; its functions are called there. `stopped`, if any, runs once, when nothing
// of it is left. If the channel is lost, the listener connects again for ever. Open tunnels are not
// affected.
#pragma once

#include "core/slab.hpp"
#include "role/control_channel.hpp"
#include "role/counters.hpp"
#include "role/failure_count.hpp"
#include "role/fetch.hpp"
#include "role/outbound.hpp"
#include "role/reconnect.hpp"
#include "role/tunnels.hpp"

#include <string>

namespace culvert {

struct ListenerOptions {
  EntityAddress entity;
  TargetAddress target;
  std::vector<std::string> rendezvous_hosts;
  std::uint64_t drain_grace_ms = ShardLimits{}.drain_grace_ms;
};

class Listener {
public:
  /// Another part, and the Io of its shard.
  struct Follower {
    Listener *part = nullptr;
    Io *io = nullptr;
  };

  /// `id`: UUID text, of the registration.
  Listener(const ClientKit &kit, const ListenerOptions &options, std::string id,
           RoleCounters &counters, Delegate<> stopped);
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  /// The part that keeps the channel, before it starts: the other parts get their share of the
  /// offers. They live until they have stopped, which each does only after this one.
  void lead(const std::vector<Follower> &others);
  /// Each of the other parts, before it starts: it has no channel.
  void follow();
  void start();
  /// Changes the target, key or bounds for later offers and registrations. The entity and the
  /// transport cannot change.
  void use(const ClientKit &kit, const ListenerOptions &options);
  /// Closes the channel; serves offers until the relay has answered the close; then gives open
  /// tunnels the grace time to end, and drops the rest.
  void drain();
  /// Ends everything at once.
  void drop();
  [[nodiscard]] Io &io() { return kit_.shard.io; }

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kStopped };
  /// kLeader, or kFollower -> kAlone when the leader deals out no more offers.
  enum class Place : std::uint8_t { kLeader, kFollower, kAlone };
  struct DealtOffer final : Mail {
    ChannelResult offer;
  };
  struct Serving {
    Serving(Listener &listener, ChannelResult offer);
    void on_done(Fetch &done);
    Listener &owner;
    const std::uint64_t offered_ns;
    SlabHandle handle;
    Fetch fetch;
  };

  void connect();
  std::uint64_t connect_later(); // in how many ms
  void on_outbound(Outbound &outbound);
  void online();
  void on_offer(ChannelResult &offer);
  void on_dealt(Mail &mail);
  void on_leader_ended(Mail &mail);
  void serve(ChannelResult &offer);
  void release_followers();
  void on_renewed(const Status &status);
  void on_lost(const Status &why);
  void on_channel_ended();
  void fetch_done(Serving &serving);
  [[nodiscard]] FailureCount::Failure count_failure(Code why);
  void check_stopped();
  /// With the count of channel_failures_.
  void log(LogLevel level, std::string_view message, const Status &why);

  ClientKit kit_;
  ListenerOptions options_;
  RendezvousPolicy policy_;
  const std::string id_;
  RoleCounters &counters_;
  Delegate<> stopped_;
  Phase phase_ = Phase::kRunning;
  Place place_ = Place::kLeader;
  std::vector<Follower> followers_; // of the leader
  std::size_t dealt_ = 0;           // offers, by the leader

  Outbound outbound_;
  bool redialled_ = false; // already, with another token, since the last success
  Reconnect reconnect_;
  FailureCount channel_failures_; // since the channel stood, and its token was renewed
  Timer retry_;

  ControlChannel channel_;

  Slab<Serving> fetches_;
  FailureCount failures_; // offers without a tunnel
  TunnelLog tunnel_log_;
  Tunnels tunnels_;
  Timer grace_;
};

} // namespace culvert
