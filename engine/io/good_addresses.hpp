// Addresses that answered when another address of the same name did not. The next dial tries them
// first.
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
  /// Moves the address that answered most recently to the front; the others keep their order.
  void put_first(std::vector<Address> &addresses, std::uint64_t now_ns) {
    std::erase_if(entries_, [now_ns](const Entry &entry) { return entry.until_ns <= now_ns; });
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
      const auto found = std::find(addresses.begin(), addresses.end(), entry->address);
      if (found != addresses.end()) {
        std::rotate(addresses.begin(), found, found + 1);
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
