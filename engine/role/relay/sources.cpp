#include "role/relay/sources.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace culvert {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

/// IPv6 may carry an address of IPv4 (RFC 4291, section 2.5.5.2).
Address without_mapping(const Address &peer) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  Address address = peer;
  if (peer.family == Address::Family::kIpv6 &&
      std::equal(kMapped.begin(), kMapped.end(), peer.bytes.begin())) {
    address.family = Address::Family::kIpv4;
    std::copy(peer.bytes.begin() + kMapped.size(), peer.bytes.end(), address.bytes.begin());
  }
  return address;
}

std::string network(Address address, std::size_t bytes) {
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(bytes), address.bytes.end(),
            std::uint8_t{0});
  return address.host() + "/" + std::to_string(8 * bytes);
}

std::uint64_t cost_ns(const RelayLimits &limits) {
  return kSecondNs / limits.refusals_per_second_per_source;
}

std::uint64_t burst_ns(bool known, const RelayLimits &limits) {
  return cost_ns(limits) *
         (known ? limits.refusals_burst_per_known_source : limits.refusals_burst_per_source);
}

/// Those that are under way when it becomes too much count too, so that the average is kept.
std::uint64_t most_ns(bool known, const RelayLimits &limits) {
  return burst_ns(known, limits) + limits.unauthenticated_per_source * cost_ns(limits);
}

} // namespace

std::string source_of(const Address &peer) {
  const Address address = without_mapping(peer);
  if (address.family == Address::Family::kUnix) {
    return "";
  }
  constexpr std::size_t kHostsOwn = 8;
  return address.family == Address::Family::kIpv6 ? network(address, kHostsOwn) : address.host();
}

std::string network_of(const Address &peer) {
  const Address address = without_mapping(peer);
  if (address.family == Address::Family::kUnix) {
    return "";
  }
  constexpr std::size_t kOfIpv6 = 6;
  constexpr std::size_t kOfIpv4 = 3;
  return network(address, address.family == Address::Family::kIpv6 ? kOfIpv6 : kOfIpv4);
}

// --- seats ---------------------------------------------------------------------------------------

Sources::Admission Sources::take_seat(const Origin &origin, const RelayLimits &limits,
                                      std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const bool counted = !origin.source.empty();
  const auto found = counted ? sources_.find(origin.source) : sources_.end();
  Source *const source = found == sources_.end() ? nullptr : &found->second;
  const bool known = source != nullptr && source->online > 0;
  if (source != nullptr) {
    source->paid_ns = std::min(source->paid_ns, now_ns + most_ns(known, limits));
    if (source->paid_ns >= now_ns + burst_ns(known, limits)) {
      return {Answer::kRefusedTooOften, Seat::kNone, std::exchange(source->told_refused, true)};
    }
  }
  if (source != nullptr && source->seats.taken >= limits.unauthenticated_per_source) {
    return {Answer::kSourceFull, Seat::kNone, std::exchange(source->seats.told, true)};
  }
  if (!known) {
    Share &share = networks_[origin.network];
    if (counted && share.taken >= limits.unauthenticated_per_network) {
      return {Answer::kNetworkFull, Seat::kNone, std::exchange(share.told, true)};
    }
    if (strangers_ >= limits.unauthenticated) {
      if (share.taken == 0) {
        networks_.erase(origin.network);
      }
      return {Answer::kFull, Seat::kNone, false};
    }
    ++share.taken;
    ++strangers_;
  }
  if (counted) {
    ++sources_[origin.source].seats.taken;
  }
  return {Answer::kTaken, known ? Seat::kKnown : Seat::kStranger, false};
}

void Sources::leave_seat(const Origin &origin, Seat seat) {
  const std::lock_guard lock(mutex_);
  if (seat == Seat::kStranger) {
    const auto share = networks_.find(origin.network);
    CULVERT_ASSERT(share != networks_.end() && share->second.taken > 0 && strangers_ > 0);
    --strangers_;
    if (--share->second.taken == 0) {
      networks_.erase(share);
    }
  }
  if (origin.source.empty()) {
    return;
  }
  const auto found = sources_.find(origin.source);
  CULVERT_ASSERT(found != sources_.end() && found->second.seats.taken > 0);
  if (--found->second.seats.taken == 0) {
    found->second.seats.told = false;
    erase_unneeded(origin.source);
  }
}

// --- who is known --------------------------------------------------------------------------------

void Sources::came(const std::string &source) {
  if (!source.empty()) {
    const std::lock_guard lock(mutex_);
    ++sources_[source].online;
  }
}

void Sources::went(const std::string &source) {
  if (source.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(source);
  CULVERT_ASSERT(found != sources_.end() && found->second.online > 0);
  --found->second.online;
  erase_unneeded(source);
}

bool Sources::idle() const {
  const std::lock_guard lock(mutex_);
  return strangers_ == 0 && networks_.empty() &&
         std::all_of(sources_.begin(), sources_.end(), [](const auto &each) {
           return each.second.seats.taken == 0 && each.second.online == 0;
         });
}

// --- refusals ------------------------------------------------------------------------------------

void Sources::spent(const std::string &source, const RelayLimits &limits, std::uint64_t now_ns) {
  if (source.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  Source &of = remember(source, limits, now_ns);
  of.paid_ns = std::min(std::max(of.paid_ns, now_ns) + cost_ns(limits),
                        now_ns + most_ns(of.online > 0, limits));
}

FailureCount::Failure Sources::refused(const std::string &source, Code why,
                                       const RelayLimits &limits, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  return remember(source, limits, now_ns)
      .refusals.add(why, FailureCount::bounds_of(limits), now_ns);
}

void Sources::forget_old(Source &source, const RelayLimits &limits, std::uint64_t now_ns) {
  if (source.refusals.is_old(FailureCount::bounds_of(limits), now_ns) && source.paid_ns <= now_ns) {
    source.refusals = {};
    source.told_refused = false;
  }
}

void Sources::sweep(const RelayLimits &limits, std::uint64_t now_ns) {
  if (now_ns < next_sweep_ns_) {
    return;
  }
  next_sweep_ns_ = now_ns + kSecondNs;
  for (auto each = sources_.begin(); each != sources_.end();) {
    Source &source = each->second;
    forget_old(source, limits, now_ns);
    if (source.remembered && source.refusals.none() && source.paid_ns <= now_ns) {
      source.remembered = false;
      --remembered_;
    }
    each = source.needed() ? std::next(each) : sources_.erase(each);
  }
}

/// Its own, or what all have together for whom there is no room: nobody of those is reset.
Sources::Source &Sources::remember(const std::string &source, const RelayLimits &limits,
                                   std::uint64_t now_ns) {
  const auto known = sources_.find(source);
  const bool remembered = known != sources_.end() && known->second.remembered;
  if (!remembered && remembered_ >= limits.refused_sources) {
    sweep(limits, now_ns);
  }
  const bool room = remembered || remembered_ < limits.refused_sources;
  Source &of = room ? sources_[source] : others_;
  if (!remembered && room) {
    of.remembered = true;
    ++remembered_;
  }
  forget_old(of, limits, now_ns);
  of.refusals.remember(now_ns);
  return of;
}

void Sources::erase_unneeded(const std::string &source) {
  const auto found = sources_.find(source);
  if (!found->second.needed()) {
    sources_.erase(found);
  }
}

} // namespace culvert
