// How many connections that authorized nothing yet each source has: one of them alone must not take
// every seat.
//
// Behind one mutex, for any thread; touched in set-up and tear-down only, never on the byte path.
// It knows a source while it has a connection here.
#pragma once

#include "io/address.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace culvert {

/// The source that a peer counts for: its IPv4 address (IPv6 may carry it as ::ffff:a.b.c.d), or
/// the /64 of its IPv6 address, because a host chooses the lower half itself (RFC 4291, section
/// 2.5.4). Empty for a unix socket, which is not counted.
std::string source_of(const Address &peer);

class SourceShares {
public:
  enum class Answer : std::uint8_t {
    kTaken,
    kFull,     // for the first time since the source came
    kStillFull // the log has it
  };

  /// `source`: what source_of() says; it may have `largest` in all.
  Answer take(const std::string &source, std::uint64_t largest);
  void give_back(const std::string &source);
  [[nodiscard]] std::size_t sources() const;

private:
  struct Share {
    std::uint32_t taken = 0;
    bool told = false;
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Share> shares_;
};

} // namespace culvert
