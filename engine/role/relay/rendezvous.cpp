#include "role/relay/rendezvous.hpp"

#include <algorithm>

namespace culvert {

namespace {

Status gone() {
  return Status::failure(Code::kGone, Source::kRelay, Retry::kNever,
                         "nobody waits for this capability any more");
}

Status no_listener(std::string message) {
  return Status::failure(Code::kNoListener, Source::kRelay, Retry::kBackoff, std::move(message));
}

} // namespace

std::size_t Rendezvous::HashOfChannel::operator()(const ChannelRef &channel) const {
  const std::uint64_t slot = std::uint64_t{channel.slot.index} << 32U | channel.slot.generation;
  return std::hash<std::uint64_t>{}(slot * 31 + channel.shard);
}

Rendezvous::Pending::Pending(Rendezvous &table_of_it, ParkedSender &sender_of_it, Wish wish_of_it,
                             std::string source_of_it)
    : table(table_of_it), sender(sender_of_it), wish(std::move(wish_of_it)),
      source(std::move(source_of_it)) {
  repeat.bind<&Pending::on_repeat>(*this);
  deadline.bind<&Pending::on_deadline>(*this);
}

bool Rendezvous::Pending::is_offered() const {
  return std::any_of(offers.begin(), offers.end(),
                     [](const Offer &offer) { return offer.state != OfferState::kLost; });
}

Rendezvous::Rendezvous(Shard &shard, ListenerRegistry &registry, Digests &digests)
    : shard_(shard), registry_(registry), digests_(digests) {}

Rendezvous::~Rendezvous() {
  CULVERT_ASSERT(table_.size() == 0);
}

Result<SlabHandle> Rendezvous::park(ParkedSender &sender, const Wish &wish,
                                    const std::string &source) {
  const RelayLimits &limits = sender.limits();
  const Status admitted = registry_.admit(wish.entity, source, limits);
  if (!admitted.ok()) {
    return admitted;
  }
  const bool room = table_.size() < limits.pending_per_shard;
  const auto handle = room ? table_.make(*this, sender, wish, source) : std::nullopt;
  if (!handle) {
    registry_.release(wish.entity, source);
    return Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                           "too many senders wait");
  }
  Pending &pending = *table_.find(*handle);
  pending.handle = *handle;
  const Status offered = make_offer(pending);
  if (!offered.ok()) {
    forget(pending);
    return offered;
  }
  pending.deadline_ns = shard_.io.now_ns() + limits.rendezvous_ms * 1'000'000U;
  shard_.io.arm(pending.deadline, pending.deadline_ns);
  return *handle;
}

Status Rendezvous::make_offer(Pending &pending) {
  std::vector<ChannelRef> tried;
  for (const Offer &offer : pending.offers) {
    tried.push_back(offer.channel);
  }
  const auto listener = registry_.choose(pending.wish, tried, shard_.random);
  if (!listener.ok()) {
    return listener.status();
  }
  const std::string capability = make_capability({shard_.index, pending.handle}, shard_.random);
  pending.offers.emplace_back(pending, capability_hash(capability, digests_),
                              listener.value().channel);
  Status sent = pending.sender.offer(pending.handle, listener.value(), capability);
  if (!sent.ok()) {
    pending.offers.pop_back();
  }
  return sent;
}

void Rendezvous::offer_written(SlabHandle handle) {
  if (Pending *pending = table_.find(handle)) {
    Offer &offer = pending->offers.back();
    CULVERT_ASSERT(offer.state == OfferState::kOnItsWay);
    offer.state = OfferState::kWritten;
    offered_[offer.channel].push_back(offer);
    wait_to_repeat(*pending);
  }
}

void Rendezvous::offer_failed(SlabHandle handle) {
  if (Pending *pending = table_.find(handle)) {
    CULVERT_ASSERT(pending->offers.back().state == OfferState::kOnItsWay);
    pending->offers.back().state = OfferState::kLost;
    offer_to_another(*pending);
  }
}

void Rendezvous::wait_to_repeat(Pending &pending) {
  const std::uint64_t repeat_ms = pending.sender.limits().offer_repeat_ms;
  if (repeat_ms > 0 && !pending.repeated) {
    shard_.io.arm_after_ms(pending.repeat, repeat_ms);
  }
}

void Rendezvous::on_repeat(Pending &pending) {
  pending.repeated =
      pending.offers.size() < pending.sender.limits().offers_per_sender && make_offer(pending).ok();
  wait_to_repeat(pending); // without another listener: one may come
}

std::size_t Rendezvous::channel_lost(const ChannelRef &channel, ChannelEnd end) {
  const auto found = offered_.find(channel);
  if (found == offered_.end()) {
    return 0; // an offer that is under way comes back as not written
  }
  List<Offer, OfferedTag> lost;
  lost.take_all(found->second);
  offered_.erase(found);
  std::size_t count = 0;
  while (Offer *offer = lost.pop_front()) {
    ++count;
    Pending &pending = offer->pending;
    offer->state = OfferState::kLost;
    if (end == ChannelEnd::kGoodbye) {
      pending.may_come_until_ns =
          shard_.io.now_ns() + pending.sender.limits().goodbye_ms * 1'000'000U;
    }
    if (!pending.is_offered()) {
      offer_to_another(pending);
    }
  }
  return count;
}

void Rendezvous::take_off_channels(Pending &pending) {
  for (Offer &offer : pending.offers) {
    if (!offer.linked()) {
      continue;
    }
    offer.unlink();
    const auto found = offered_.find(offer.channel);
    if (found != offered_.end() && found->second.empty()) {
      offered_.erase(found);
    }
  }
}

void Rendezvous::offer_to_another(Pending &pending) {
  pending.repeat.disarm();
  const std::uint64_t most = pending.sender.limits().offers_per_sender;
  const Status offered =
      pending.offers.size() < most
          ? make_offer(pending)
          : no_listener("this sender was offered " + std::to_string(most) + " times");
  if (offered.ok() || pending.is_offered()) {
    return;
  }
  if (pending.may_come_until_ns <= shard_.io.now_ns()) {
    unmet(pending, offered);
  } else if (pending.may_come_until_ns < pending.deadline_ns) {
    shard_.io.arm(pending.deadline, pending.may_come_until_ns);
  }
}

Result<Rendezvous::Met> Rendezvous::redeem(std::string_view capability, std::string_view protocol) {
  const auto where = read_capability(capability);
  Pending *const pending =
      where && where->shard == shard_.index ? table_.find(where->slot) : nullptr;
  if (pending == nullptr || pending->wish.protocol != protocol) {
    return gone();
  }
  const Sha256Bytes hash = capability_hash(capability, digests_);
  for (const Offer &offer : pending->offers) {
    if (equal_in_constant_time(offer.hash, hash)) {
      const Met met{&pending->sender, offer.channel};
      forget(*pending);
      return met;
    }
  }
  return gone();
}

void Rendezvous::revoke(SlabHandle handle) {
  if (Pending *pending = table_.find(handle)) {
    forget(*pending);
  }
}

void Rendezvous::refuse_all(const Status &why) {
  table_.for_each([&](SlabHandle, Pending &pending) { unmet(pending, why); });
}

void Rendezvous::refuse_removed(const EntityTable &entities) {
  table_.for_each([&](SlabHandle, Pending &pending) {
    if (!entities.has(pending.wish.entity)) {
      unmet(pending, EntityTable::removed());
    }
  });
}

void Rendezvous::on_deadline(SlabHandle handle) {
  Pending &pending = *table_.find(handle);
  if (shard_.io.now_ns() < pending.deadline_ns) {
    unmet(pending, no_listener("the listener that was told of this sender has left, and did not "
                               "come for it"));
    return;
  }
  unmet(pending,
        Status::failure(Code::kTimeout, Source::kRelay, Retry::kBackoff,
                        "no listener accepted within " +
                            std::to_string(pending.sender.limits().rendezvous_ms / 1000) + " s"));
}

void Rendezvous::forget(Pending &pending) {
  take_off_channels(pending);
  registry_.release(pending.wish.entity, pending.source);
  table_.erase(pending.handle);
}

void Rendezvous::unmet(Pending &pending, const Status &why) {
  ParkedSender &sender = pending.sender;
  forget(pending);
  sender.on_unmet(why);
}

} // namespace culvert
