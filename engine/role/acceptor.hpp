// Accepts connections on one shard from listening sockets that all shards share.
//
// Embedded in the shard's part of a role; it does not own the listening sockets. The receiver of
// `arrived` owns the socket. When the kernel has no descriptor left, the acceptor waits until one
// is freed here, or for ShardLimits::accept_retry_ms. After hold() new connections stay in the
// kernel's backlog; those that were already accepted still arrive.
//
// The kernel wakes the same one of several idle shards every time, so the acceptors of an
// AcceptGroup give each new connection to a random member, by mail.
#pragma once

#include "io/shard.hpp"

#include <atomic>
#include <deque>
#include <span>
#include <vector>

namespace culvert {

class Acceptor;

/// The acceptors of the same listening sockets, by shard. It is made before them and destroyed
/// after them. None of them may be destroyed before all have stopped.
class AcceptGroup {
public:
  explicit AcceptGroup(unsigned shards) : members_(shards) {}

private:
  friend class Acceptor;
  std::vector<std::atomic<Acceptor *>> members_;
};

class Acceptor {
public:
  /// `stopped` runs once after stop(), when nothing is in flight, never inside stop().
  Acceptor(Shard &shard, Delegate<Socket> arrived, Delegate<> stopped);

  /// Before start(); without it every connection stays on the shard that accepted it.
  void share_with(AcceptGroup &group) { group_ = &group; }
  void start(std::span<const Socket> listening);
  void start(Socket listening) { start(std::span(&listening, 1)); }
  /// Only after start(), once. Connections that arrive after this are reset.
  void stop();
  /// Both only between start() and stop(). A second call in a row does nothing.
  void hold();
  void release();
  /// A descriptor was closed.
  void on_descriptor_freed();
  [[nodiscard]] bool stopped() const { return phase_ == Phase::kStopped; }

private:
  enum class Phase : std::uint8_t { kIdle, kAccepting, kHeld, kStopping, kStopped };

  struct Dealt; // a socket in a letter to another shard
  /// The operations on one of the listening sockets.
  struct Ear {
    Ear(Acceptor &acceptor, Socket socket);
    void arm();
    void cancel_accept();
    void on_accept(Outcome outcome);
    void on_cancelled(Outcome outcome);
    [[nodiscard]] bool idle() const { return !accept.in_flight() && !cancel.in_flight(); }

    Acceptor &owner;
    const Socket listening;
    Completion accept;
    Completion cancel;
    Timer retry;
  };
  void enter(Phase phase, Acceptor *dealt_to);
  void deal(Socket socket);
  void on_dealt(Mail &mail);
  void on_dealt_back(Mail &mail);
  void hand_out(Socket socket);
  void check_stopped();

  Shard &shard_;
  const Delegate<Socket> arrived_;
  const Delegate<> stopped_;
  AcceptGroup *group_ = nullptr;
  std::size_t dealt_out_ = 0; // letters that have not come back yet
  Phase phase_ = Phase::kIdle;
  bool told_ = false; // the current failure was logged already
  std::deque<Ear> ears_;
};

} // namespace culvert
