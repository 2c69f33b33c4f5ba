#include "culvert/log.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "observe/stderr_sink.hpp"

#include <array>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>

namespace culvert {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  static constexpr std::array kLevels{spdlog::level::err, spdlog::level::warn, spdlog::level::info,
                                      spdlog::level::debug, spdlog::level::trace};
  return kLevels[static_cast<std::size_t>(level)];
}

/// The rest of a line, without its message and fields: time, level, braces.
constexpr std::size_t kLineFrameBytes = 96;
/// Room for the quotes and for the mark of a cut at the end of a text.
constexpr std::size_t kTextEndBytes = 8;

/// Quoted, with everything that could end a line or a field escaped: text from the other side of a
/// connection must not be able to forge log lines. Cut to `room` bytes.
std::string in_quotes(std::string_view text, std::size_t room) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::size_t kLongestEscape = 6;
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins = (byte & 0xc0U) != 0x80U; // a character is not cut in two
    if (result.size() + (begins ? kLongestEscape : 1) + kTextEndBytes > room) {
      return result + "...\"";
    }
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (is_control(c)) {
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

/// A message with its fields in the form of the log, cut so that the line keeps its form.
template <typename Fields>
std::string render(LogFormat format, std::string_view message, const Fields &fields) {
  const bool json = format == LogFormat::kJson;
  constexpr std::size_t kMost = kLogRecordBytes - kLineFrameBytes;
  std::string line =
      json ? "\"message\":" + in_quotes(message, kMost) : std::string(message.substr(0, kMost));
  for (const LogField &field : fields) {
    const std::string name =
        json ? "," + in_quotes(field.name, kMost) + ":" : " " + std::string(field.name) + "=";
    if (line.size() + name.size() + 2 * kTextEndBytes > kMost) {
      break;
    }
    const std::size_t room = kMost - line.size() - name.size();
    line += name;
    line += json || !plain(field.value) || field.value.size() > room ? in_quotes(field.value, room)
                                                                     : field.value;
  }
  return line;
}

template <LogFormat kFormat> std::string loss(std::uint64_t lost, const std::string &why) {
  return render(kFormat, "lines of the log were lost",
                std::array{LogField{"count", std::to_string(lost)}, LogField{"why", why}});
}

/// The level by Culvert's own name: spdlog's %l prints "warning".
class LevelWord final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg &line, const std::tm &,
              spdlog::memory_buf_t &out) override {
    const spdlog::string_view_t word = line.level == spdlog::level::warn
                                           ? spdlog::string_view_t("warn")
                                           : spdlog::level::to_string_view(line.level);
    out.append(word.begin(), word.end());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelWord>();
  }
};

class StderrLog final : public Log {
public:
  StderrLog(LogLevel level, LogFormat format) : level_(level), format_(format) {
    const bool text = format == LogFormat::kText;
    auto sink =
        std::make_shared<StderrSink>(text ? loss<LogFormat::kText> : loss<LogFormat::kJson>);
    logger_ = std::make_unique<spdlog::logger>("culvert", std::move(sink));
    logger_->set_level(to_spdlog(level));
    auto pattern = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    pattern->add_flag<LevelWord>('*').set_pattern(
        text ? "%Y-%m-%dT%H:%M:%S.%eZ %* %v"
             : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%*",%v})");
    logger_->set_formatter(std::move(pattern));
  }

  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= level_; }

  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (!enabled(level)) {
      return;
    }
    logger_->log(to_spdlog(level), "{}", render(format_, message, fields));
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
