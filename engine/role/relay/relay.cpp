#include "role/relay/relay.hpp"

namespace culvert {

Status Relay::check(const RelayOptions &options) {
  if (options.names.empty()) {
    return Status::config("the relay has no name: give at least one host name or address that "
                          "listeners and senders dial");
  }
  if (options.entities.empty()) {
    return Status::config("the relay has no entity: give at least one path");
  }
  return EntityTable::check(options.entities);
}

Relay::Relay(RelayOptions options)
    : options_(std::move(options)), entities_(options_.entities, options_.own_rules),
      registry_(options_.policy, options_.limits.pending), shards_(options_.shards),
      accepting_(options_.shards) {
  CULVERT_ASSERT(options_.shards > 0 && !options_.names.empty());
}

Relay::~Relay() {
  for (const auto &shard : shards_) {
    CULVERT_ASSERT(shard.load(std::memory_order_acquire) == nullptr);
  }
}

Authority Relay::public_address(std::string_view authority, std::uint16_t bound_port) const {
  if (!options_.public_host.empty()) {
    return {options_.public_host,
            options_.public_port == 0 ? std::uint16_t{443} : options_.public_port};
  }
  const Authority dialled = parse_authority(authority);
  for (const std::string &name : options_.names) {
    if (!dialled.host.empty() && lower_case(name) == lower_case(dialled.host)) {
      return dialled;
    }
  }
  return {options_.names.front(), bound_port};
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

bool Relay::take_seat() {
  const std::uint32_t taken = counters_.unauthenticated.fetch_add(1, std::memory_order_relaxed);
  if (taken < options_.limits.unauthenticated) {
    return true;
  }
  leave_seat();
  return false;
}

} // namespace culvert
