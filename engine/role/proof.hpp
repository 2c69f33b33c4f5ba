// A sender's proof, when it starts, that its relay is there and takes its token. It is tried until
// it succeeds, at a listener's pace, and meets no listener.
//
// Belongs to one shard; running() may be asked from any thread. It is destroyed on its shard when
// it does not run. Once proven it keeps nothing of the kit alive.
#pragma once

#include "role/counters.hpp"
#include "role/failure_count.hpp"
#include "role/outbound.hpp"
#include "role/reconnect.hpp"

#include <atomic>
#include <optional>
#include <string>

namespace culvert {

class Proof {
public:
  Proof(const ClientKit &kit, const EntityAddress &entity, RoleCounters &counters);

  /// `where`: what apps connect to, for the line that says that it is ready.
  void start(std::string where);
  /// For the next try.
  void use(const ClientKit &kit, const EntityAddress &entity);
  void cancel();
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_acquire); }

private:
  void try_now();
  void on_outbound(Outbound &outbound);
  void failed(const Status &status, bool other_token);
  void stop();

  Shard &shard_;
  std::optional<ClientKit> kit_; // until it is proven
  EntityAddress entity_;
  RoleCounters &counters_;
  std::string where_;
  std::optional<Outbound> outbound_; // of one try
  Reconnect reconnect_;
  FailureCount failures_; // with this configuration
  Timer retry_;
  bool other_token_tried_ = false;
  bool ending_ = false;
  bool outdated_ = false; // the proof that runs began before an update
  std::atomic<bool> running_ = false;
};

} // namespace culvert
