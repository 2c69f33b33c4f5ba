// Small rules of text that the relay needs in several places.
//
// Pure functions; safe from any thread.
#pragma once

#include "core/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace culvert {

/// Makes text safe for a log line: control characters become '?', and it is cut at
/// kReasonPhraseBytes.
std::string loggable(std::string_view text);

/// A path that belongs to no entity, for a log line: what an ordinary path begins with, at most 64
/// characters, and "..." where it is cut. A client may have put its token there by mistake.
std::string loggable_path(std::string_view path);

/// The address that a peer says it dialled.
struct Authority {
  std::string host; // an IPv6 literal without brackets
  std::uint16_t port = 0;
};

/// "host", "host:port", "[::1]" or "[::1]:port". A missing port is 443. A text that cannot be read
/// gives an empty host.
Authority parse_authority(std::string_view text);

} // namespace culvert
