// Somebody who saw where an offer points, but not quite: it forges the last digit of the capability
// and tries to fetch the sender. It must always be refused.
//
// Used on the one thread of its world; idle() before it dies.
#pragma once

#include "services.hpp"
#include "session.hpp"

#include <algorithm>
#include <deque>

namespace culvert::simtest {

inline constexpr char kThiefHost[] = "10.0.9.1";

class Thief {
public:
  Thief(Services &services, const ClientSettings &settings, Judge &judge)
      : shard_(services.world, services.log, "thief", kThiefHost, 0, services.held_bytes),
        transport_(std::move(services.transport->transport(shard_.shard).value())),
        instances_(services, shard_, settings), judge_(judge) {}

  void steal(LinkDescription description);
  [[nodiscard]] bool idle() const {
    return std::all_of(tries_.begin(), tries_.end(),
                       [](const auto &one) { return !one->running(); });
  }
  [[nodiscard]] std::size_t tries() const { return tries_.size(); }
  [[nodiscard]] std::size_t held() const { return shard_.shard.held.held(); }

private:
  void on_done(Outbound &outbound);

  SimShard shard_;
  std::unique_ptr<Transport> transport_;
  ClientInstances instances_;
  Judge &judge_;
  std::deque<std::unique_ptr<Outbound>> tries_;
  std::unique_ptr<Link> loot_;
};

} // namespace culvert::simtest
