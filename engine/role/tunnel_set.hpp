// The tunnels of one role on one shard: owns them, counts them and logs how each ended.
//
// Belongs to the shard. `emptied` runs whenever the last tunnel has ended.
#pragma once

#include "core/slab.hpp"
#include "role/counters.hpp"
#include "tunnel/tunnel.hpp"

#include <string>

namespace culvert {

class TunnelSet {
public:
  TunnelSet(Shard &shard, RoleCounters &counters, Delegate<> emptied);

  /// How many more may be joined: whoever begins set-ups never has more of them under way.
  [[nodiscard]] std::uint32_t room() const { return kTunnelsPerShard - tunnels_.size(); }
  /// Joins the two ends: the first is the app's side. There must be room.
  void join(TunnelSide app_side, TunnelSide target_side, std::string entity, std::string id);
  void drop_all(const Status &why);
  [[nodiscard]] bool empty() const { return tunnels_.size() == 0; }
  [[nodiscard]] std::uint32_t size() const { return tunnels_.size(); }

private:
  struct Entry {
    Entry(TunnelSet &set, TunnelSide app_side, TunnelSide target_side, std::string entity_of_it,
          std::string id_of_it);
    void on_ended(Tunnel &ended);

    TunnelSet &owner;
    std::string entity;
    std::string id;
    SlabHandle handle;
    Tunnel tunnel;
  };
  void ended(Entry &entry);

  Shard &shard_;
  RoleCounters &counters_;
  Delegate<> emptied_;
  Slab<Entry> tunnels_{kTunnelsPerShard};
};

} // namespace culvert
