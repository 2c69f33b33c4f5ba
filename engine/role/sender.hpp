// A sender on one shard: it accepts the app's connections and tunnels each to the entity.
//
// Belongs to its shard; its functions are called there. The listening socket may be shared with
// other shards: the last part to stop closes it. `stopped`, if any, runs once, from the loop, when
// nothing is left; it may destroy the sender. start() is called on every shard before the first
// drain(). A set-up that fails resets the app's connection, so the app does not read it as an empty
// answer.
//
// When many apps connect at once, the relay sets the pace (Pacer): the others wait, a few here and
// the rest in the kernel's accept backlog. A set-up that the relay refuses because of overload, or
// resets, is repeated after a pause while the app waits, for setup_repeat_ms.
#pragma once

#include "core/list.hpp"
#include "core/slab.hpp"
#include "link/cancellable.hpp"
#include "role/acceptor.hpp"
#include "role/counters.hpp"
#include "role/failure_count.hpp"
#include "role/outbound.hpp"
#include "role/pacer.hpp"
#include "role/tunnels.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace culvert {

struct SenderOptions {
  EntityAddress entity;
  bool tcp_health = false; // probes of a load balancer open no tunnel
  bool tell_app_address = true;
  std::uint64_t drain_grace_ms = ShardLimits{}.drain_grace_ms;
};

class Sender {
public:
  Sender(const ClientKit &kit, const SenderOptions &options, RoleCounters &counters,
         Delegate<> stopped);
  Sender(const Sender &) = delete;
  Sender &operator=(const Sender &) = delete;

  /// Call it before start(): the parts of one listening socket share the connections that they
  /// accept.
  void share_with(AcceptGroup &group) { acceptor_.share_with(group); }
  void start(std::vector<Socket> listening);
  /// For app connections that arrive after this.
  void use(const ClientKit &kit, const SenderOptions &options);
  void drain();
  void drop();

private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kDropping, kStopped };
  struct InQueue;
  /// An app's connection until it is joined.
  struct Waiting : ListHook<InQueue> {
    enum class State : std::uint8_t {
      kProbing,  // may be a load balancer's probe: until its first byte, its end or health_wait_ms
      kQueued,   // until the window has room
      kDialling, // its set-up runs
      kPausing,  // before its set-up is repeated
      kJoining,  // the set-up succeeded; the watch ends
      kLeaving,  // the app has left or was refused; its set-up or watch is ending
    };
    Waiting(Sender &sender, Socket socket);
    void on_outbound(Outbound &) { owner.on_outbound(*this); }
    void on_watch(Outcome outcome) { owner.on_watch(*this, outcome); }
    void on_pause() { owner.on_pause(*this); }

    Sender &owner;
    SlabHandle handle;
    const std::string id;
    const Socket app;
    std::string app_address;             // "" over a unix socket
    std::optional<std::byte> first_byte; // that was read while probing
    const std::uint64_t accepted_ns;
    State state = State::kQueued;
    Outbound outbound;
    bool other_key_tried = false;
    std::uint32_t began_in_round = 0; // the result of Pacer::begin()
    std::uint64_t first_dial_ns = 0;
    std::uint64_t pause_ms = 0; // the last one
    Timer pause;
    Cancellable watch; // whether the app has left; in kProbing what it does first
  };

  void on_acceptor_stopped();
  void on_accepted(Socket socket);
  void reset(Socket socket);
  void probe(Waiting &waiting);
  void on_probed(Waiting &waiting);
  void admit(Waiting &waiting);
  void on_pause(Waiting &waiting);
  void enqueue(Waiting &waiting);
  void dial_queued();
  void dial(Waiting &waiting);
  void pace_accepts();
  void on_outbound(Waiting &waiting);
  [[nodiscard]] bool may_repeat(const Waiting &waiting) const;
  void repeat_later(Waiting &waiting);
  void end_watch(Waiting &waiting, Waiting::State state);
  void on_watch(Waiting &waiting, Outcome outcome);
  void give_up(Waiting &waiting, const Status &why);
  [[nodiscard]] FailureCount::Failure count_failure(Code why);
  void joined(Waiting &waiting);
  void gone(Waiting &waiting);
  void on_tunnel_ended();
  void check_stopped();
  void on_stopped();

  ClientKit kit_;
  SenderOptions options_;
  RoleCounters &counters_;
  Delegate<> stopped_;
  Phase phase_ = Phase::kRunning;
  std::vector<Socket> listening_;
  Acceptor acceptor_;
  Pacer pacer_;
  FailureCount failures_; // connections without a tunnel
  bool dialling_ = false; // dial_queued() runs
  Slab<Waiting> waiting_;
  List<Waiting, InQueue> queue_;
  TunnelLog tunnel_log_;
  Tunnels tunnels_;
  Timer grace_;
  Timer ending_; // nothing is left
};

} // namespace culvert
