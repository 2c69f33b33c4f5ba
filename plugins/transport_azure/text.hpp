// Text as this protocol writes it: percent and form encoding, comparison that ignores ASCII case,
// and cleaning of what the other side said. Pure functions.
#pragma once

#include "culvert/text.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace azure {

using culvert::sdk::equal_ignoring_case;
using culvert::sdk::lower;
using culvert::sdk::percent_decode;
using culvert::sdk::percent_encode;
using culvert::sdk::starts_ignoring_case;

/// Form rules: '+' is a space; a '%' without two hex digits stays as it is.
std::string form_decode(std::string_view text);
/// A path as it may stand in a request target: '/' and what RFC 3986 allows there stay.
std::string path_encode(std::string_view path);

bool is_utf8(std::string_view text);
/// No byte that could break a request line: controls, space and DEL.
bool is_target_text(std::string_view text);
/// Printable ASCII only, at most `most` bytes: fit for a reason phrase or a log line.
std::string clean(std::string_view text, std::size_t most);

/// "host" or "host:port", with brackets around an IPv6 literal, without the port of wss.
std::string authority(std::string_view host, unsigned port);
/// The host of "host[:port]", without brackets.
std::string_view host_of(std::string_view authority);

} // namespace azure
