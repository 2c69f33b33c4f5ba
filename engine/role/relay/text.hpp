// Small rules of text that the relay needs in several places.
//
// Pure functions; safe from any thread.
#pragma once

#include "core/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace culvert {

/// What may stand in a log line: control characters become '?', cut at kReasonPhraseBytes.
std::string loggable(std::string_view text);

/// What a peer says it dialled.
struct Authority {
  std::string host; // an IPv6 literal without brackets
  std::uint16_t port = 0;
};

/// "host", "host:port", "[::1]" or "[::1]:port". A missing port is 443; what cannot be read has an
/// empty host.
Authority parse_authority(std::string_view text);

} // namespace culvert
