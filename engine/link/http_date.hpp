// The value of a Date field (RFC 9110, section 5.6.7), written and read without the locale.
//
// Pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace culvert {

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_seconds);
/// Reads only that form, which every server must send.
std::optional<std::int64_t> read_http_date(std::string_view text);

} // namespace culvert
