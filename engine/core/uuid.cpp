#include "core/uuid.hpp"

#include <array>
#include <cstddef>

namespace culvert {

std::string make_uuid(Random &random) {
  std::array<std::byte, 16> bytes{};
  random.fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    text += kHex[std::to_integer<unsigned>(bytes[i]) >> 4U];
    text += kHex[std::to_integer<unsigned>(bytes[i]) & 15U];
  }
  return text;
}

} // namespace culvert
