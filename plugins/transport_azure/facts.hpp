// What this protocol must remember of a connection between its steps. The engine carries it as
// bytes, by value, to whichever shard takes the next one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace azure {

/// The engine's bound on facts (relay.h).
inline constexpr std::size_t kFactsBytes = 40U * 1024;

enum class Role : std::uint8_t { kListener = 0, kSender = 1, kRendezvous = 2, kOther = 3 };

struct Facts {
  Role role = Role::kOther;
  std::uint16_t remote_port = 0;
  std::string tracking;  // id with gateways
  std::string authority; // the Host field
  std::string path;      // decoded
  std::string raw_path;  // a sender's, like those below: what follows /$hc/, byte for byte
  std::string query;     // the sender's own, byte for byte
  std::string headers;   // a JSON object
  std::string remote_host;
};

std::string write_facts(const Facts &facts);
/// Nothing when these are not facts of this version.
std::optional<Facts> read_facts(std::string_view bytes);

} // namespace azure
