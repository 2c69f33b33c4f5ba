// Time for whoever has no shard: the control thread. A shard's time is its Io's.
//
// Safe from any thread. The simulation passes its own.
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
