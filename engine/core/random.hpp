// Random bytes: from the kernel in a real process, from one seed in the simulation.
//
// A Random belongs to one shard; it is not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

class Random {
public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

/// Cryptographic bytes of getrandom(2), drawn 4 KiB at a time, because one system call for each
/// masking key would be slow.
class SystemRandom final : public Random {
public:
  void fill(std::span<std::byte> out) override;

private:
  std::array<std::byte, 4096> pool_{};
  std::size_t left_ = 0;
};

/// The same bytes for the same seed, on every machine. xoshiro256**: must not be used for secrets.
class SeededRandom final : public Random {
public:
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::byte> out) override;

private:
  std::uint64_t step();
  std::array<std::uint64_t, 4> state_{};
};

} // namespace culvert
