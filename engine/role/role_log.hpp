// The log of one role: each of its lines names the role, as status does.
//
// Belongs to the role, which lives longer than its parts; thread-safe as the log below it.
#pragma once

#include "culvert/log.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace culvert {

class RoleLog final : public Log {
public:
  /// A role without a name is the only one of its process: its lines stay as they are.
  RoleLog(Log &log, std::string kind, std::string name)
      : log_(log), kind_(std::move(kind)), name_(std::move(name)) {}

  [[nodiscard]] bool enabled(LogLevel level) const override { return log_.enabled(level); }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (name_.empty()) {
      log_.write(level, message, fields);
    } else if (enabled(level)) {
      write_named(level, message, fields);
    }
  }

private:
  static constexpr std::size_t kMostFields = 16; // of a line; one with more is written without name

  /// A list of fields has its length when the program is compiled: the right one is found here.
  template <std::size_t kFields = 0>
  void write_named(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) {
    if (fields.size() == kFields) {
      write_all(level, message, fields.begin(), std::make_index_sequence<kFields>());
    } else if constexpr (kFields < kMostFields) {
      write_named<kFields + 1>(level, message, fields);
    } else {
      log_.write(level, message, fields);
    }
  }
  template <std::size_t... kAt>
  void write_all(LogLevel level, std::string_view message, [[maybe_unused]] const LogField *fields,
                 std::index_sequence<kAt...>) {
    log_.write(level, message, {{"role", kind_}, {"name", name_}, fields[kAt]...});
  }

  Log &log_;
  const std::string kind_;
  const std::string name_;
};

} // namespace culvert
