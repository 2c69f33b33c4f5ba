#include "culvert/log.hpp"

#include <array>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace culvert {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  static constexpr std::array kLevels{spdlog::level::err, spdlog::level::warn, spdlog::level::info,
                                      spdlog::level::debug, spdlog::level::trace};
  return kLevels[static_cast<std::size_t>(level)];
}

/// Quoted, with everything that could end a line or a field escaped: text from the other side of a
/// connection must not be able to write log lines of its own.
std::string quoted(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += "\\u00";
      result += kHex[byte >> 4U];
      result += kHex[byte & 15U];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

bool plain(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') {
      return false;
    }
  }
  return !text.empty();
}

class StderrLog final : public Log {
public:
  StderrLog(LogLevel level, LogFormat format) : level_(level), format_(format) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    logger_ = std::make_unique<spdlog::logger>("culvert", std::move(sink));
    logger_->set_level(to_spdlog(level));
    logger_->flush_on(spdlog::level::trace);
    logger_->set_pattern(format == LogFormat::kText
                             ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v"
                             : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                         spdlog::pattern_time_type::utc);
  }

  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= level_; }

  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (!enabled(level)) {
      return;
    }
    const bool json = format_ == LogFormat::kJson;
    std::string line = json ? "\"message\":" + quoted(message) : std::string(message);
    for (const LogField &field : fields) {
      if (json) {
        line += "," + quoted(field.name) + ":" + quoted(field.value);
      } else {
        line += " " + std::string(field.name) + "=" +
                (plain(field.value) ? field.value : quoted(field.value));
      }
    }
    logger_->log(to_spdlog(level), "{}", line);
  }

private:
  const LogLevel level_;
  const LogFormat format_;
  std::unique_ptr<spdlog::logger> logger_;
};

} // namespace

std::unique_ptr<Log> make_stderr_log(LogLevel level, LogFormat format) {
  return std::make_unique<StderrLog>(level, format);
}

} // namespace culvert
