// A listener on one shard: it keeps a control channel to the relay and serves the offers that come
// through it.
//
// Belongs to its shard; its functions are called there. `stopped`, if any, runs once, when nothing
// of it is left. A lost channel is sought again for ever; a channel's loss never touches the
// tunnels.
#pragma once

#include "core/slab.hpp"
#include "role/counters.hpp"
#include "role/offer.hpp"
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
  /// For offers and registrations from now on: another target, key, or bound. The entity and the
  /// transport stay.
  void use(const ClientKit &kit, const ListenerOptions &options);
  /// Leaves the relay, serves what that offers until it has heard so, lets tunnels end for the
  /// grace time, then drops them.
  void drain();
  /// Ends everything at once.
  void drop();

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kStopped };
  /// kNone -> kOnline -> (kLeaving ->) kEnding -> kNone; one that came too late goes from kNone to
  /// kEnding.
  enum class ChannelState : std::uint8_t {
    kNone,
    kOnline,  // registered at the relay
    kLeaving, // our end is said, the relay's is awaited
    kEnding   // it is closed or dropped
  };
  struct Serving {
    Serving(Listener &listener, std::string offer, std::string loggable_id);
    void on_done(Offer &done);
    Listener &owner;
    SlabHandle handle;
    Offer offer;
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
  void offer_done(Serving &serving);
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
  bool redialled_ = false; // with another token, since the last success
  Reconnect reconnect_;
  Timer retry_;

  std::unique_ptr<Link> channel_;
  ChannelState channel_state_ = ChannelState::kNone;
  Timer unanswered_;
  std::uint64_t channel_word_ = 0;
  std::size_t largest_message_ = kControlMessageBytes;
  Message message_; // being received
  Status broken_;   // what the relay said that nobody may say
  std::deque<Message> answers_;
  std::size_t answers_bytes_ = 0;
  Completion receive_;
  Completion drain_;
  Completion channel_end_;
  Completion channel_drop_;
  Completion channel_finish_;

  Slab<Serving> offers_;
  TunnelLog tunnel_log_;
  Tunnels tunnels_;
  Timer grace_;
};

} // namespace culvert
