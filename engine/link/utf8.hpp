// UTF-8 (RFC 3629), checked piece by piece, refused at the first byte that cannot be right.
//
// A value without owner or thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

class Utf8Checker {
public:
  /// False once a byte cannot continue what came before; then for good.
  bool feed(std::span<const std::byte> piece);
  /// No character is unfinished.
  [[nodiscard]] bool complete() const { return needed_ == 0; }

private:
  bool feed_lead(std::uint8_t byte);

  std::uint8_t needed_ = 0; // continuation bytes still missing
  std::uint8_t low_ = 0x80; // bounds of the next one
  std::uint8_t high_ = 0xBF;
  bool broken_ = false;
};

/// The whole of it is valid UTF-8.
bool is_utf8(std::span<const std::byte> bytes);

} // namespace culvert
