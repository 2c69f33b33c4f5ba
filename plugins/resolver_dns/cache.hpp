// The answers that were found, for as long as they may be used.
//
// Belongs to one instance. An answer is fresh for its TTL. A name's last addresses are kept longer,
// for the time that no server answers.
#pragma once

#include "culvert/resolver.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace dns {

/// A name's answer; without addresses: it has none.
struct Known {
  std::vector<culvert_address> addresses;
  std::uint64_t fresh_until_ms = 0;
  std::uint64_t kept_until_ms = 0;
};

class Cache {
public:
  /// How long addresses are kept beyond their TTL, and how long they are used before the servers
  /// are asked again.
  static constexpr std::uint64_t kKeptMs = 3'600'000;
  static constexpr std::uint64_t kAskAgainMs = 30'000;
  static constexpr std::uint32_t kMostTtlSec = 86'400;
  static constexpr std::uint32_t kMostNegativeTtlSec = 60;
  static constexpr std::size_t kMostNames = 4'096;

  /// nullptr: nothing that is fresh.
  [[nodiscard]] const Known *fresh(const std::string &name, std::uint64_t now_ms) const;
  const Known &put(const std::string &name, std::vector<culvert_address> addresses,
                   std::uint32_t ttl_s, std::uint64_t now_ms);
  /// No server answers: the last addresses of the name, fresh for kAskAgainMs; nullptr: it has none
  /// that are kept.
  const Known *revive(const std::string &name, std::uint64_t now_ms);

private:
  void make_room(std::uint64_t now_ms);

  std::unordered_map<std::string, Known> names_;
};

} // namespace dns
