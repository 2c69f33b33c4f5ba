// A listener on one shard: it keeps a control channel to the relay and serves the offers that it
// receives there.
//
// Belongs to its shard; its functions are called there. `stopped`, if any, runs once, when nothing
// of it is left. If the channel is lost, the listener connects again for ever. Open tunnels are not
// affected.
#pragma once

#include "core/slab.hpp"
#include "role/counters.hpp"
#include "role/fetch.hpp"
#include "role/outbound.hpp"
#include "role/reconnect.hpp"
#include "role/tunnels.hpp"

#include <deque>
#include <memory>
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
  /// `id`: UUID text, one for each part.
  Listener(const ClientKit &kit, const ListenerOptions &options, std::string id,
           RoleCounters &counters, Delegate<> stopped);
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  void start();
  /// Changes the target, key or bounds for later offers and registrations. The entity and the
  /// transport cannot change.
  void use(const ClientKit &kit, const ListenerOptions &options);
  /// Closes the channel; serves offers until the relay has answered the close; then gives open
  /// tunnels the grace time to end, and drops the rest.
  void drain();
  /// Ends everything at once.
  void drop();

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kStopped };
  /// kNone -> kOnline -> (kLeaving ->) kEnding -> kNone; a channel that is ready too late goes from
  /// kNone to kEnding.
  enum class ChannelState : std::uint8_t {
    kNone,
    kOnline,  // registered at the relay
    kLeaving, // we have sent Close and wait for the relay's
    kEnding   // it is closed or dropped
  };
  struct Serving {
    Serving(Listener &listener, std::string offer, std::string loggable_id);
    void on_done(Fetch &done);
    Listener &owner;
    SlabHandle handle;
    Fetch fetch;
  };

  void connect();
  std::uint64_t connect_later(); // in how many ms
  void on_outbound(Outbound &outbound);
  void online();
  void enter(ChannelState state);
  void on_receive(Outcome outcome);
  void take_turn();
  void heard(const Message &message);
  void serve(std::string offer, std::string loggable_id);
  void write_answers();
  void on_drain(Outcome outcome);
  void lost(const Status &why, bool relay_is_there);
  Status closed_by(const Ending &end);
  void leave_channel();
  void on_not_answered() { end_channel(false); }
  void end_channel(bool politely);
  void on_channel_finished(Outcome outcome);
  void on_channel_ended(Outcome outcome);
  void fetch_done(Serving &serving);
  void check_stopped();
  void log(LogLevel level, std::string_view message, const Status &why);

  ClientKit kit_;
  ListenerOptions options_;
  RendezvousPolicy policy_;
  const std::string id_;
  RoleCounters &counters_;
  Delegate<> stopped_;
  Phase phase_ = Phase::kRunning;

  Outbound outbound_;
  bool redialled_ = false; // already, with another token, since the last success
  Reconnect reconnect_;
  Timer retry_;

  std::unique_ptr<Link> channel_;
  ChannelState channel_state_ = ChannelState::kNone;
  Timer unanswered_;
  std::uint64_t channel_word_ = 0;
  std::size_t largest_message_ = kControlMessageBytes;
  Message message_; // being received
  Status broken_;   // the relay's protocol error
  std::deque<Message> answers_;
  std::size_t answers_bytes_ = 0;
  Completion receive_;
  Completion drain_;
  Completion channel_end_;
  Completion channel_drop_;
  Completion channel_finish_;

  Slab<Serving> fetches_;
  TunnelLog tunnel_log_;
  Tunnels tunnels_;
  Timer grace_;
};

} // namespace culvert
