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

Sources::Admission Relay::take_seat(const Origin &origin, const RelayLimits &limits,
                                    std::uint64_t now_ns) {
  const Sources::Admission admission = sources_.take_seat(origin, limits, now_ns);
  if (admission.answer == Sources::Answer::kTaken) {
    counters_.unauthenticated.fetch_add(1, std::memory_order_relaxed);
  }
  return admission;
}

void Relay::leave_seat(const Origin &origin, Seat seat) {
  counters_.unauthenticated.fetch_sub(1, std::memory_order_relaxed);
  sources_.leave_seat(origin, seat);
}

} // namespace culvert
