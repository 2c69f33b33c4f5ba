// The senders that wait on one shard for a listener to fetch them.
//
// Used on that shard only. The table owns its entries, not the senders. Each sender enters with
// park() and leaves by exactly one of redeem(), revoke() or its on_unmet(). A capability belongs to
// one offer. All offers of a sender stay valid until one is redeemed or the sender leaves. A sender
// is offered to another listener if its offer could not be written, if no channel with an offer of
// it is left, and once if nobody has come within RelayLimits::offer_repeat_ms. One offer is on its
// way at a time. The deadline is not extended. If no listener is left, the sender still waits for a
// listener that closed its channel and may still come, at most RelayLimits::goodbye_ms after that
// close; without one, the wait ends at once.
#pragma once

#include "core/list.hpp"
#include "io/shard.hpp"
#include "role/relay/capability.hpp"
#include "role/relay/listener_registry.hpp"
#include "role/relay/rules.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace culvert {

/// A sender that waits; implemented by its connection.
class ParkedSender {
public:
  /// How long it waits and how often it is offered; valid until it has left the table.
  [[nodiscard]] virtual const RelayLimits &limits() const = 0;
  /// Sends this offer to the listener's channel; then one offer_written() or offer_failed()
  /// follows, never from inside this call. A failure ends the wait, unless another offer may be
  /// redeemed.
  virtual Status offer(SlabHandle pending, const RegisteredListener &listener,
                       const std::string &capability) = 0;
  /// No listener came in time, or none can come. The sender has left the table.
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

  /// Makes the first offer. After a failure the sender does not wait, and on_unmet() does not
  /// follow.
  Result<SlabHandle> park(ParkedSender &sender, const Wish &wish, const std::string &source);
  void offer_written(SlabHandle pending);
  void offer_failed(SlabHandle pending);
  /// Those that no other channel was offered are offered to another. Returns how many senders it
  /// looked at: those that this channel was offered, no others.
  std::size_t channel_lost(const ChannelRef &channel, ChannelEnd end);
  /// Takes the sender of this capability out of the table, if it waits here and uses that protocol.
  Result<Met> redeem(std::string_view capability, std::string_view protocol);
  /// The sender has gone. Does nothing if it does not wait any more.
  void revoke(SlabHandle pending);
  /// Calls on_unmet() of each waiting sender.
  void refuse_all(const Status &why);
  /// The same of each whose entity is none of these.
  void refuse_removed(const EntityTable &entities);

  [[nodiscard]] std::uint32_t size() const { return table_.size(); }

private:
  struct OfferedTag;
  struct Pending;
  /// kOnItsWay -> kWritten -> kLost, or kOnItsWay -> kLost. It can be redeemed in each.
  enum class OfferState : std::uint8_t {
    kOnItsWay, // to the channel's shard; only the latest offer of a sender
    kWritten,  // on the channel's list
    kLost      // it was not written, or its channel has ended
  };
  struct Offer : ListHook<OfferedTag> {
    Offer(Pending &of, const Sha256Bytes &hash_of_it, const ChannelRef &to)
        : pending(of), hash(hash_of_it), channel(to) {}

    Pending &pending;
    const Sha256Bytes hash;
    const ChannelRef channel;
    OfferState state = OfferState::kOnItsWay;
  };
  struct HashOfChannel {
    std::size_t operator()(const ChannelRef &channel) const;
  };
  struct Pending {
    Pending(Rendezvous &table, ParkedSender &sender, Wish wish, std::string source);
    void on_deadline() { table.on_deadline(handle); }
    void on_repeat() { table.on_repeat(*this); }
    /// A listener has an offer of it, or will soon.
    [[nodiscard]] bool is_offered() const;

    Rendezvous &table;
    ParkedSender &sender;
    Wish wish;
    std::string source;
    SlabHandle handle;
    std::list<Offer> offers;
    bool repeated = false; // because nobody had come
    Timer repeat;
    Timer deadline;
    std::uint64_t deadline_ns = 0;
    std::uint64_t may_come_until_ns = 0; // a listener that closed its channel may come until then
  };

  Status make_offer(Pending &pending);
  void offer_to_another(Pending &pending);
  void take_off_channels(Pending &pending);
  void wait_to_repeat(Pending &pending);
  void on_repeat(Pending &pending);
  void on_deadline(SlabHandle handle);
  void forget(Pending &pending);
  void unmet(Pending &pending, const Status &why);

  Shard &shard_;
  ListenerRegistry &registry_;
  Digests &digests_;
  Slab<Pending> table_;
  std::unordered_map<ChannelRef, List<Offer, OfferedTag>, HashOfChannel> offered_; // written ones
};

} // namespace culvert
