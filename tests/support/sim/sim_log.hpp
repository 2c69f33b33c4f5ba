// A log sink of a simulated world: keeps every line, and makes it part of the world's trace.
//
// Used on the one thread that drives the world; the test owns it, and the world outlives it.
#pragma once

#include "culvert/log.hpp"
#include "support/sim/sim_world.hpp"

#include <functional>
#include <string>
#include <vector>

namespace culvert {

class SimLog final : public Log {
public:
  explicit SimLog(SimWorld &world, LogLevel most = LogLevel::kTrace) : world_(world), most_(most) {}

  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= most_; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override;
  /// Hears every line that is kept.
  std::function<void(std::string_view message, std::initializer_list<LogField> fields)> on_line;
  /// "<virtual microseconds> <level> <message> name=value ...", in the order of writing.
  [[nodiscard]] const std::vector<std::string> &lines() const { return lines_; }

private:
  SimWorld &world_;
  LogLevel most_;
  std::vector<std::string> lines_;
};

} // namespace culvert
