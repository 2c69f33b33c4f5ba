#include "role/relay/source_shares.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>

namespace culvert {

std::string source_of(const Address &peer) {
  if (peer.family == Address::Family::kUnix) {
    return "";
  }
  if (peer.family != Address::Family::kIpv6) {
    return peer.host();
  }
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::size_t kNetBytes = 8;
  Address source = peer;
  if (std::equal(kMapped.begin(), kMapped.end(), peer.bytes.begin())) {
    source.family = Address::Family::kIpv4;
    std::copy(peer.bytes.begin() + kMapped.size(), peer.bytes.end(), source.bytes.begin());
    return source.host();
  }
  std::fill(source.bytes.begin() + kNetBytes, source.bytes.end(), std::uint8_t{0});
  return source.host() + "/64";
}

SourceShares::Answer SourceShares::take(const std::string &source, std::uint64_t largest) {
  if (source.empty()) {
    return Answer::kTaken;
  }
  const std::lock_guard lock(mutex_);
  Share &share = shares_[source];
  if (share.taken < largest) {
    ++share.taken;
    return Answer::kTaken;
  }
  const bool told = share.told;
  share.told = true;
  return told ? Answer::kStillFull : Answer::kFull;
}

void SourceShares::give_back(const std::string &source) {
  if (source.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto found = shares_.find(source);
  CULVERT_ASSERT(found != shares_.end() && found->second.taken > 0);
  if (--found->second.taken == 0) {
    shares_.erase(found);
  }
}

std::size_t SourceShares::sources() const {
  const std::lock_guard lock(mutex_);
  return shares_.size();
}

} // namespace culvert
