// The senders that wait on one shard for a listener to fetch them.
//
// Used on that shard only. The table owns what it remembers of a sender, never the sender: one
// parks, and leaves by exactly one of redeem(), revoke(), or its on_unmet(). A capability is bound
// to one offer; all offers of a sender stay valid until one is redeemed, and none outlives it. An
// offer that is not written, or whose channel has ended, is made again to another listener, and
// only then: so the latest is the only one with a channel. The deadline runs on. When nobody is
// left to offer to, the wait goes on for a listener that closed its channel and may still come, no
// longer than RelayLimits::goodbye_ms behind its close; without one it ends at once.
#pragma once

#include "core/list.hpp"
#include "io/shard.hpp"
#include "role/relay/capability.hpp"
#include "role/relay/listener_registry.hpp"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace culvert {

/// A sender that waits; implemented by its connection.
class ParkedSender {
public:
  /// How long and how often it is offered; they stay until it has left.
  [[nodiscard]] virtual const RelayLimits &limits() const = 0;
  /// Asks that this offer be brought to the listener's channel. A failure ends the wait; else one
  /// offer_written() or offer_failed() follows, never from inside this call.
  virtual Status offer(SlabHandle pending, const RegisteredListener &listener,
                       const std::string &capability) = 0;
  /// Nobody came, or can come any more; it is not in the table any more.
  virtual void on_unmet(const Status &why) = 0;

protected:
  ~ParkedSender() = default;
};

class Rendezvous {
public:
  struct Met {
    ParkedSender *sender = nullptr;
    ChannelRef channel; // of the listener whose offer was redeemed
  };

  Rendezvous(Shard &shard, ListenerRegistry &registry, Digests &digests);
  ~Rendezvous();

  /// Makes the first offer. A failure: it does not wait, and on_unmet() does not follow.
  Result<SlabHandle> park(ParkedSender &sender, const Wish &wish, const std::string &source);
  void offer_written(SlabHandle pending);
  void offer_failed(SlabHandle pending);
  /// Those whose latest offer this channel carries are offered to another. Returns how many senders
  /// it looked at: no others.
  std::size_t channel_lost(const ChannelRef &channel, ChannelEnd end);
  /// The sender of this capability, if it waits here and speaks that protocol; it waits no more.
  Result<Met> redeem(std::string_view capability, std::string_view protocol);
  /// The sender has gone. Nothing happens when it waits no more.
  void revoke(SlabHandle pending);
  /// Each that waits gets on_unmet().
  void refuse_all(const Status &why);

  [[nodiscard]] std::uint32_t size() const { return table_.size(); }

private:
  struct Offer {
    Sha256Bytes hash{};
    ChannelRef channel;
  };
  struct OfferedTag;
  struct HashOfChannel {
    std::size_t operator()(const ChannelRef &channel) const;
  };
  struct Pending : ListHook<OfferedTag> {
    Pending(Rendezvous &table, ParkedSender &sender, Wish wish, std::string source);
    void on_deadline() { table.on_deadline(handle); }

    Rendezvous &table;
    ParkedSender &sender;
    Wish wish;
    std::string source;
    SlabHandle handle;
    std::vector<Offer> offers;
    Timer deadline;
    std::uint64_t deadline_ns = 0;
    std::uint64_t may_come_until_ns = 0; // who was offered it and said goodbye
  };

  Status make_offer(Pending &pending);
  void offer_to_another(Pending &pending);
  void take_off_channel(Pending &pending);
  void on_deadline(SlabHandle handle);
  void forget(Pending &pending);
  void unmet(Pending &pending, const Status &why);

  Shard &shard_;
  ListenerRegistry &registry_;
  Digests &digests_;
  Slab<Pending> table_;
  /// By the channel that carries their latest offer; without those whose offer is under way.
  std::unordered_map<ChannelRef, List<Pending, OfferedTag>, HashOfChannel> offered_;
};

} // namespace culvert
