#include "role/relay/relay.hpp"

#include "core/limits.hpp"
#include "io/address.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace culvert {
namespace {

bool is_host(const std::string &name) {
  if (Address::from_literal(name, 0)) {
    return name.front() != '[';
  }
  return !name.empty() && name.size() <= kHostNameBytes && name.front() != '.' &&
         name.front() != '-' && name.find("..") == std::string::npos &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

} // namespace

Status Relay::check_names(const std::vector<std::string> &names) {
  if (names.empty()) {
    return Status::config("the relay has no name: give at least one host name or address that "
                          "listeners and senders dial");
  }
  std::unordered_set<std::string> known;
  for (const std::string &name : names) {
    if (!is_host(name)) {
      return Status::config("relay name '" + loggable(name) +
                            "': write a host name or an IP address alone, without scheme, port, "
                            "brackets or '*'");
    }
    if (!known.insert(lower_case(name)).second) {
      return Status::config("relay name '" + name +
                            "' is given twice (case does not count): "
                            "remove one of them");
    }
  }
  return {};
}

Status Relay::check(const RelayOptions &options) {
  if (Status status = check_names(options.names); !status.ok()) {
    return status;
  }
  if (options.entities.empty()) {
    return Status::config("the relay has no entity: give at least one path");
  }
  Status status = EntityTable::check(options.entities);
  return status.ok() ? EntityTable::check_rules(options.own_rules) : status;
}

Relay::Relay(RelayOptions options)
    : options_(std::move(options)), entities_(options_.entities, options_.own_rules),
      registry_(options_.policy, options_.limits.pending),
      shares_(options_.limits.unauthenticated_per_source), counters_(options_.shards),
      accept_group_(options_.shards), shards_(options_.shards), accepting_(options_.shards) {
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
  Authority dialled = parse_authority(authority);
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

Relay::Seat Relay::take_seat(const std::string &source) {
  const SourceShares::Answer share = shares_.take(source);
  if (share != SourceShares::Answer::kTaken) {
    return share == SourceShares::Answer::kFull ? Seat::kNoneOfSource : Seat::kNoneOfSourceAgain;
  }
  const std::uint32_t taken = counters_.unauthenticated.fetch_add(1, std::memory_order_relaxed);
  if (taken < options_.limits.unauthenticated) {
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
