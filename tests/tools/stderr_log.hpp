// Log lines of the test tools, on stderr. Usable from any thread.
#pragma once

#include "culvert/log.hpp"

#include <cstdio>

namespace culvert::tools {

class StderrLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= LogLevel::kWarn; }
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField>) override {
    if (enabled(level)) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    }
  }
};

} // namespace culvert::tools
