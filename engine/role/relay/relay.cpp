#include "role/relay/relay.hpp"

#include "core/assert.hpp"

namespace culvert {

Relay::Relay(unsigned shards)
    : counters_(shards), accept_group_(shards), shards_(shards), accepting_(shards) {
  CULVERT_ASSERT(shards > 0);
}

Relay::~Relay() {
  for (const auto &shard : shards_) {
    CULVERT_ASSERT(shard.load(std::memory_order_acquire) == nullptr);
  }
}

void Relay::attach(unsigned index, RelayShard &shard) {
  CULVERT_ASSERT(index < shards_.size());
  RelayShard *const before = shards_[index].exchange(&shard, std::memory_order_acq_rel);
  CULVERT_ASSERT(before == nullptr);
}

void Relay::detach(unsigned index) {
  shards_[index].store(nullptr, std::memory_order_release);
}

RelayShard *Relay::shard(unsigned index) const {
  return index < shards_.size() ? shards_[index].load(std::memory_order_acquire) : nullptr;
}

Relay::Seat Relay::take_seat(const std::string &source, const RelayLimits &limits) {
  const SourceShares::Answer share = shares_.take(source, limits.unauthenticated_per_source);
  if (share != SourceShares::Answer::kTaken) {
    return share == SourceShares::Answer::kFull ? Seat::kNoneOfSource : Seat::kNoneOfSourceAgain;
  }
  const std::uint32_t taken = counters_.unauthenticated.fetch_add(1, std::memory_order_relaxed);
  if (taken < limits.unauthenticated) {
    return Seat::kTaken;
  }
  leave_seat(source);
  return Seat::kNone;
}

void Relay::leave_seat(const std::string &source) {
  counters_.unauthenticated.fetch_sub(1, std::memory_order_relaxed);
  shares_.give_back(source);
}

} // namespace culvert
