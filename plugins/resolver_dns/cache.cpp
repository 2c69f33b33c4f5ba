#include "cache.hpp"

#include <algorithm>
#include <utility>

namespace dns {

const Known *Cache::fresh(const std::string &name, std::uint64_t now_ms) const {
  const auto found = names_.find(name);
  return found == names_.end() || found->second.fresh_until_ms <= now_ms ? nullptr : &found->second;
}

const Known &Cache::put(const std::string &name, std::vector<culvert_address> addresses,
                        std::uint32_t ttl_s, std::uint64_t now_ms) {
  if (names_.size() >= kMostNames && names_.count(name) == 0) {
    make_room(now_ms);
  }
  Known &known = names_[name];
  const std::uint32_t most_s = addresses.empty() ? kMostNegativeTtlSec : kMostTtlSec;
  known.fresh_until_ms = now_ms + std::uint64_t{std::min(ttl_s, most_s)} * 1'000;
  known.kept_until_ms = addresses.empty() ? 0 : known.fresh_until_ms + kKeptMs;
  known.addresses = std::move(addresses);
  return known;
}

const Known *Cache::revive(const std::string &name, std::uint64_t now_ms) {
  const auto found = names_.find(name);
  if (found == names_.end() || found->second.kept_until_ms <= now_ms) {
    return nullptr;
  }
  found->second.fresh_until_ms = std::min(now_ms + kAskAgainMs, found->second.kept_until_ms);
  return &found->second;
}

/// Drops what nobody may use any more, or else the name that is the first to be dropped.
void Cache::make_room(std::uint64_t now_ms) {
  const auto end_of = [](const auto &entry) {
    return std::max(entry.second.fresh_until_ms, entry.second.kept_until_ms);
  };
  std::erase_if(names_, [&](const auto &entry) { return end_of(entry) <= now_ms; });
  if (names_.size() >= kMostNames) {
    names_.erase(
        std::min_element(names_.begin(), names_.end(), [&](const auto &left, const auto &right) {
          return end_of(left) < end_of(right);
        }));
  }
}

} // namespace dns
