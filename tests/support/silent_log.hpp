// A log that keeps nothing. From any thread.
#pragma once

#include "culvert/log.hpp"

namespace culvert::test {

class SilentLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

} // namespace culvert::test
