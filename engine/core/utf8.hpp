// Checks UTF-8 (RFC 3629) in pieces, and refuses it at the first invalid byte.
//
// A plain value that owns nothing; each object is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

class Utf8Checker {
public:
  /// False as soon as a byte is invalid, and from then on.
  bool feed(std::span<const std::byte> piece);
  /// True if no character is unfinished.
  [[nodiscard]] bool complete() const { return needed_ == 0; }

private:
  bool feed_lead(std::uint8_t byte);

  std::uint8_t needed_ = 0; // continuation bytes still missing
  std::uint8_t low_ = 0x80; // bounds of the next one
  std::uint8_t high_ = 0xBF;
  bool broken_ = false;
};

/// True if all bytes together are valid UTF-8.
bool is_utf8(std::span<const std::byte> bytes);

} // namespace culvert
