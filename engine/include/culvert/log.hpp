// The log. The engine writes one message with named fields; a sink decides the form.
//
// A sink may be shared by all shards and must be thread-safe. Secrets, request targets and header
// values never go into a message or a field, at any level.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace culvert {

enum class LogLevel : std::uint8_t { kError, kWarn, kInfo, kDebug, kTrace };

struct LogField {
  std::string_view name;
  std::string value;
};

class Log {
public:
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;
};

enum class LogFormat : std::uint8_t { kText, kJson };

/// A sink that writes lines to stderr, from `level` on. Thread-safe.
std::unique_ptr<Log> make_stderr_log(LogLevel level, LogFormat format);

/// Writes a line, which must end with a newline, to stderr without a log: before there is one, or
/// when a process ends. Waits at most `patience_ms` for the reader; false if nothing was written.
/// Thread-safe; does not allocate.
bool write_stderr_line(std::string_view line, int patience_ms);

} // namespace culvert
