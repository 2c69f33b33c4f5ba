// Accepts connections on one shard from a listening socket that all shards share.
//
// Embedded in the shard's relay part; it does not own the listening socket. Every socket it hands
// out belongs to whoever takes it. When the kernel has no descriptor left it waits until one was
// freed here, or for kAcceptRetryMs.
#pragma once

#include "io/shard.hpp"

namespace culvert {

class Acceptor {
public:
  /// `stopped` runs once after stop(), when nothing is in flight, never inside stop().
  Acceptor(Shard &shard, Delegate<Socket> arrived, Delegate<> stopped);

  void start(Socket listening);
  /// Only after start(), once.
  void stop();
  /// A descriptor was closed.
  void on_descriptor_freed();
  [[nodiscard]] bool stopped() const { return phase_ == Phase::kStopped; }

private:
  enum class Phase : std::uint8_t { kIdle, kAccepting, kStopping, kStopped };

  void arm();
  void on_accept(Outcome outcome);
  void on_cancelled(Outcome outcome);

  Shard &shard_;
  const Delegate<Socket> arrived_;
  const Delegate<> stopped_;
  Phase phase_ = Phase::kIdle;
  Socket listening_;
  bool told_ = false; // the log has the failure that lasts
  Completion accept_;
  Completion cancel_;
  Timer retry_;
};

} // namespace culvert
