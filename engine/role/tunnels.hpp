// The tunnels of one role on one shard: it owns them, counts them, and reports them to its
// observers.
//
// Belongs to the shard. Listener, sender and relay each have one a shard; the log, and whatever
// else wants to know of tunnels, is an observer. Observers outlive it and are called on the shard,
// in set-up and tear-down only.
#pragma once

#include "core/slab.hpp"
#include "role/counters.hpp"
#include "tunnel/tunnel.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// One control channel of a relay, from the outside.
struct ChannelRef {
  unsigned shard = 0;
  SlabHandle slot;
  bool operator==(const ChannelRef &) const = default;
};

/// What an observer may know about a tunnel. Texts that come from peers can be written to a log.
/// `first` is the app's side.
struct TunnelFacts {
  struct End {
    const char *name = ""; // as TunnelSide
    std::string address;   // of the socket's other end
  };
  std::string entity;
  std::string id;  // of the app's connection; at a relay the sender's
  std::string app; // at a listener only: the app's address, as the sender says; may be empty
  std::string listener_id;   // at a relay only, like the next four
  std::string sender_source; // as the relay counts them
  std::string listener_source;
  ChannelRef channel; // of the listener that fetched the sender
  bool moved = false; // the listener's connection came from another shard
  unsigned shard = 0;
  StepTimes setup;
  End first, second;
};

class TunnelObserver {
public:
  virtual void joined(const TunnelFacts &facts) = 0;
  virtual void ended(const TunnelFacts &facts, const EndingRecord &record) = 0;

protected:
  ~TunnelObserver() = default;
};

class Tunnels {
public:
  /// `ended` runs when a tunnel was destroyed.
  Tunnels(Shard &shard, TunnelCounts &counts, std::vector<TunnelObserver *> observers,
          Delegate<> ended);

  /// How many more may be joined if `most` are allowed; callers must not have more set-ups than
  /// this in progress.
  [[nodiscard]] std::uint64_t room(std::uint64_t most) const {
    return most > tunnels_.size() ? most - tunnels_.size() : 0;
  }
  /// Joins the two ends: the first is the app's side. This fills in the facts' shard and ends.
  void join(TunnelSide first, TunnelSide second, TunnelFacts facts);
  void drop_all(const Status &why);
  /// Those of one entity; ignoring case.
  void drop_entity(std::string_view entity, const Status &why);
  [[nodiscard]] std::uint32_t size() const { return tunnels_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

private:
  struct Entry {
    Entry(Tunnels &tunnels, TunnelSide first, TunnelSide second, TunnelFacts facts);
    void on_ended(Tunnel &) { owner.ended(*this); }

    Tunnels &owner;
    TunnelFacts facts;
    SlabHandle handle;
    Tunnel tunnel;
  };
  void ended(Entry &entry);

  Shard &shard_;
  TunnelCounts::Row &counts_;
  SetupTimes &setup_times_;
  const std::vector<TunnelObserver *> observers_;
  const Delegate<> ended_;
  Slab<Entry> tunnels_;
};

/// The log lines of a listener's and a sender's tunnels.
class TunnelLog final : public TunnelObserver {
public:
  explicit TunnelLog(Log &log) : log_(log) {}
  void joined(const TunnelFacts &facts) override;
  void ended(const TunnelFacts &facts, const EndingRecord &record) override;

private:
  Log &log_;
};

} // namespace culvert
