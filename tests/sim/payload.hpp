// Position-coded payload: every byte says where in which stream it stands, so that a lost, doubled,
// swapped or foreign byte shows.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace culvert::simtest {

inline std::uint64_t coded_word(std::uint64_t key, std::uint64_t index) {
  std::uint64_t word = (index ^ key) * 0x9E3779B97F4A7C15U;
  word ^= word >> 32U;
  word *= 0xD6E8FEB86659FD93U;
  return word ^ word >> 29U;
}

inline std::byte coded_byte(std::uint64_t key, std::uint64_t position) {
  return static_cast<std::byte>(coded_word(key, position / 8) >> (8 * (position % 8)));
}

/// Calls each(offset, size, word) for the pieces of at most eight bytes, lowest byte first.
template <typename Each>
void for_each_piece(std::uint64_t key, std::uint64_t position, std::size_t size, Each each) {
  std::size_t offset = 0;
  while (offset < size) {
    const std::uint64_t at = position + offset;
    const std::size_t skip = at % 8;
    const std::size_t piece = size - offset < 8 - skip ? size - offset : 8 - skip;
    each(offset, piece, coded_word(key, at / 8) >> (8 * skip));
    offset += piece;
  }
}

inline void write_coded(std::uint64_t key, std::uint64_t position, std::span<std::byte> into) {
  for_each_piece(key, position, into.size(),
                 [&](std::size_t offset, std::size_t size, std::uint64_t word) {
                   std::memcpy(into.data() + offset, &word, size);
                 });
}

inline bool is_coded(std::uint64_t key, std::uint64_t position, std::span<const std::byte> bytes) {
  bool right = true;
  for_each_piece(key, position, bytes.size(),
                 [&](std::size_t offset, std::size_t size, std::uint64_t word) {
                   right = right && std::memcmp(bytes.data() + offset, &word, size) == 0;
                 });
  return right;
}

} // namespace culvert::simtest
