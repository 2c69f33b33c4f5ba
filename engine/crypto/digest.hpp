// Digests, message authentication codes and the text forms of bytes.
//
// A Digests object belongs to one thread; it loads its algorithms once, so a call needs no look-up.
// The free functions are pure and may be called from anywhere.
#pragma once

#include "culvert/status.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_st;
struct evp_md_ctx_st;
struct evp_mac_st;
struct evp_mac_ctx_st;

namespace culvert {

using Sha1Bytes = std::array<std::byte, 20>;
using Sha256Bytes = std::array<std::byte, 32>;

class Digests {
public:
  Digests();
  Digests(const Digests &) = delete;
  Digests &operator=(const Digests &) = delete;
  ~Digests();

  /// For the WebSocket accept key only.
  Sha1Bytes sha1(std::span<const std::byte> data);
  Sha256Bytes sha256(std::span<const std::byte> data);
  /// The key may be empty.
  Sha256Bytes hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data);

private:
  evp_md_st *sha1_;
  evp_md_st *sha256_;
  evp_md_ctx_st *context_;
  evp_mac_st *hmac_;
  evp_mac_ctx_st *hmac_context_;
};

/// The bytes of a text.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// RFC 4648, section 4, with padding.
std::string base64(std::span<const std::byte> data);
/// Strict: whole groups of four, padding only at the end, no other character, unused bits zero.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);
/// Lower case.
std::string hex(std::span<const std::byte> data);
/// Either case; nothing when the length is odd or a character is no digit.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);
/// Compares in constant time. Only the length can be observed.
bool equal_in_constant_time(std::span<const std::byte> left, std::span<const std::byte> right);

} // namespace culvert
