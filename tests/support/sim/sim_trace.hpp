// What happened in a simulated world, folded into one number: two runs of one seed must agree.
//
// Used on the one thread that drives the world. It owns nothing but the number.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace culvert {

class SimTrace {
public:
  void mix(std::uint64_t value) {
    hash_ = std::rotl((hash_ ^ value) * 0x9E3779B97F4A7C15U, 29) + count_++;
  }
  void mix(std::span<const std::byte> bytes) {
    mix(bytes.size());
    while (!bytes.empty()) {
      std::uint64_t value = 0;
      const std::size_t size = bytes.size() < sizeof value ? bytes.size() : sizeof value;
      std::memcpy(&value, bytes.data(), size);
      mix(value);
      bytes = bytes.subspan(size);
    }
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

private:
  std::uint64_t hash_ = 0x243F6A8885A308D3U;
  std::uint64_t count_ = 0;
};

} // namespace culvert
