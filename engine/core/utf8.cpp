#include "core/utf8.hpp"

#include <cstring>

namespace culvert {

bool Utf8Checker::feed_lead(std::uint8_t byte) {
  low_ = 0x80;
  high_ = 0xBF;
  if (byte < 0x80) {
    return true;
  }
  if (byte >= 0xC2 && byte <= 0xDF) { // C0 and C1 could only be overlong
    needed_ = 1;
    return true;
  }
  if (byte >= 0xE0 && byte <= 0xEF) {
    needed_ = 2;
    low_ = byte == 0xE0 ? 0xA0 : 0x80;  // below: overlong
    high_ = byte == 0xED ? 0x9F : 0xBF; // above: surrogates
    return true;
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    needed_ = 3;
    low_ = byte == 0xF0 ? 0x90 : 0x80;  // below: overlong
    high_ = byte == 0xF4 ? 0x8F : 0xBF; // above: beyond U+10FFFF
    return true;
  }
  return false;
}

bool Utf8Checker::feed(std::span<const std::byte> piece) {
  std::size_t i = 0;
  while (i < piece.size() && !broken_) {
    if (needed_ == 0 && piece.size() - i >= 8) { // eight ASCII bytes at once
      std::uint64_t word = 0;
      std::memcpy(&word, piece.data() + i, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const auto byte = static_cast<std::uint8_t>(piece[i++]);
    if (needed_ == 0) {
      broken_ = !feed_lead(byte);
    } else if (byte < low_ || byte > high_) {
      broken_ = true;
    } else {
      --needed_;
      low_ = 0x80;
      high_ = 0xBF;
    }
  }
  return !broken_;
}

bool is_utf8(std::span<const std::byte> bytes) {
  Utf8Checker checker;
  return checker.feed(bytes) && checker.complete();
}

} // namespace culvert
