// Addresses to try first: they answered when another address of the same name did not, or come
// after one that answered and was of no use.
//
// Belongs to its shard; all dials there share it. An address is remembered for good_address_ms, at
// most good_addresses of them.
#pragma once

#include "culvert/limits.hpp"
#include "io/address.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace culvert {

class GoodAddresses {
public:
  explicit GoodAddresses(const ShardLimits &limits) : limits_(limits) {}
  /// Begins with the address that answered most recently; those in front of it come last.
  void put_first(std::vector<Address> &addresses, std::uint64_t now_ns) {
    std::erase_if(entries_, [now_ns](const Entry &entry) { return entry.until_ns <= now_ns; });
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
      const auto found = std::find(addresses.begin(), addresses.end(), entry->address);
      if (found != addresses.end()) {
        std::rotate(addresses.begin(), found, addresses.end());
        return;
      }
    }
  }
  void remember(const Address &address, std::uint64_t now_ns) {
    forget(address);
    if (entries_.size() >= limits_.good_addresses) {
      entries_.erase(entries_.begin());
    }
    entries_.push_back({address, now_ns + limits_.good_address_ms * 1'000'000U});
  }
  /// The first one to try answered, and was of no use: the one after it is tried first. An address
  /// that is not the first any more changes nothing.
  void pass_over(const Address &useless, std::vector<Address> addresses, std::uint64_t now_ns) {
    put_first(addresses, now_ns);
    if (addresses.size() > 1 && addresses.front() == useless) {
      forget(useless);
      remember(addresses[1], now_ns);
    }
  }
  void forget(const Address &address) {
    std::erase_if(entries_, [&address](const Entry &entry) { return entry.address == address; });
  }

private:
  struct Entry {
    Address address;
    std::uint64_t until_ns = 0;
  };
  const ShardLimits &limits_;  // the shard's
  std::vector<Entry> entries_; // the latest last
};

} // namespace culvert
