#include "core/random.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <sys/random.h>

namespace culvert {

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  CULVERT_ASSERT(bound > 0);
  // Values from the incomplete last range are drawn again, so that all results are equally likely.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next();
  while (value >= limit) {
    value = next();
  }
  return value % bound;
}

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    if (left_ == 0) {
      const ssize_t drawn = getrandom(pool_.data(), pool_.size(), 0);
      if (drawn < 0 && errno == EINTR) {
        continue;
      }
      CULVERT_ASSERT(drawn > 0);
      left_ = static_cast<std::size_t>(drawn);
    }
    const std::size_t count = std::min(left_, out.size());
    left_ -= count;
    std::memcpy(out.data(), pool_.data() + left_, count);
    std::memset(pool_.data() + left_, 0, count); // handed out once, then gone
    out = out.subspan(count);
  }
}

SeededRandom::SeededRandom(std::uint64_t seed) {
  for (std::uint64_t &word : state_) { // splitmix64 spreads a small seed over the whole state
    seed += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    word = mixed ^ (mixed >> 31U);
  }
}

std::uint64_t SeededRandom::step() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::uint64_t word = step();
    const std::size_t count = std::min(sizeof word, out.size());
    std::memcpy(out.data(), &word, count);
    out = out.subspan(count);
  }
}

} // namespace culvert
