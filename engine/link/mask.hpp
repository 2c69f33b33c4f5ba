// The XOR of RFC 6455, section 5.3, in place: masking and unmasking are the same.
//
// Pure functions, callable from any thread; they own nothing. A key is its four bytes as on the
// wire, loaded in the machine's byte order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace culvert {

static_assert(std::endian::native == std::endian::little);

/// XORs data[i] with byte i % 4 of the key; the caller skips a key of zero.
using MaskFunction = void (*)(std::byte *data, std::size_t size, std::uint32_t key);

/// The fastest one for this CPU.
MaskFunction best_mask();

void mask_portable(std::byte *data, std::size_t size, std::uint32_t key);

/// The key for the byte that follows `consumed` bytes.
constexpr std::uint32_t rotate_key(std::uint32_t key, std::size_t consumed) {
  return std::rotr(key, static_cast<int>(consumed % 4) * 8);
}

} // namespace culvert
