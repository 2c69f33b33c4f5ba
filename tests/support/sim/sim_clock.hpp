// The clock of a simulated world, for what takes a clock and no Io.
//
// Used on the one thread that drives the world, which outlives it.
#pragma once

#include "core/clock.hpp"
#include "support/sim/sim_world.hpp"

namespace culvert {

class SimClock final : public Clock {
public:
  explicit SimClock(const SimWorld &world) : world_(world) {}
  [[nodiscard]] std::uint64_t now_ns() const override { return world_.now_ns(); }
  [[nodiscard]] std::int64_t wall_s() const override { return world_.wall_s(); }

private:
  const SimWorld &world_;
};

} // namespace culvert
