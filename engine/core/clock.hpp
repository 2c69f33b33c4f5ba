// The clock of the control thread. Code on a shard asks its Io for the time.
//
// Safe from any thread. The simulation has its own implementation.
#pragma once

#include <cstdint>

namespace culvert {

class Clock {
public:
  virtual ~Clock() = default;
  /// Monotonic nanoseconds.
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
  /// Unix seconds.
  [[nodiscard]] virtual std::int64_t wall_s() const = 0;
};

class SystemClock final : public Clock {
public:
  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::int64_t wall_s() const override;
};

} // namespace culvert
