// A SharedAccessSignature token as text: its fields, its encodings. Pure functions; views into the
// token live as long as it does. No result ever quotes the token.
#pragma once

#include "culvert/text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sas {

/// Microsoft's libraries bound key names at 256 characters; an encoded audience of an entity path
/// of 260 characters stays under 1 KiB. 4 KiB has room for all fields at their own bounds.
inline constexpr std::size_t kTokenBytes = 4096;
inline constexpr std::size_t kKeyNameBytes = 256;
inline constexpr std::size_t kAudienceBytes = 2048;

struct Token {
  std::string_view audience; // `sr`, as it was sent: the signature is over these bytes
  std::string_view expiry;   // `se`, as it was sent
  std::string signature;     // `sig` decoded: base64 of an HMAC-SHA256
  std::string key_name;      // `skn` decoded
  std::int64_t expires_s = 0;
};

/// The token, or in `wrong` what is wrong with it.
std::optional<Token> parse(std::string_view text, std::string_view &wrong);

using culvert::sdk::equal_ignoring_case;
using culvert::sdk::percent_decode;
using culvert::sdk::percent_encode;
std::string base64(std::string_view bytes);

} // namespace sas
