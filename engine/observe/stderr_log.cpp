#include "culvert/log.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "observe/stderr_sink.hpp"

#include <array>
#include <span>
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

/// The first character of UTF-8 text, or one byte that begins none.
std::string_view first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::string_view whole = text.substr(0, size);
  return is_utf8(std::as_bytes(std::span(whole))) ? whole : text.substr(0, 1);
}

/// Whether a terminal obeys this character in place of showing it: C1 controls, and what ends a
/// line or changes the direction of the text (U+2028 to U+202E, U+2066 to U+2069).
bool is_obeyed(std::string_view character) {
  return (character >= "\xc2\x80" && character <= "\xc2\x9f") ||
         (character >= "\xe2\x80\xa8" && character <= "\xe2\x80\xae") ||
         (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9");
}

/// As JSON writes it: a character of at most three bytes by its number, or a byte by its value.
std::string escaped(std::string_view character) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  unsigned number = static_cast<unsigned char>(character.front());
  if (character.size() > 1) {
    number &= character.size() == 2 ? 0x1fU : 0x0fU;
    for (const char next : character.substr(1)) {
      number = number << 6U | (static_cast<unsigned char>(next) & 0x3fU);
    }
  }
  std::string result = "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    result += kHex[number >> shift & 15U];
  }
  return result;
}

/// Quoted, with everything that could end a line or a field escaped: text from the other side of a
/// connection must not be able to forge log lines. A byte that is no UTF-8 is escaped, too. Cut to
/// `room` bytes, between characters.
std::string in_quotes(std::string_view text, std::size_t room) {
  constexpr std::size_t kLongestEscape = 6;
  std::string result = "\"";
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    const char c = character.front();
    if (result.size() + kLongestEscape + kTextEndBytes > room) {
      return result + "...\"";
    }
    const bool broken = character.size() == 1 && static_cast<unsigned char>(c) >= 0x80;
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (is_control(c) || broken || is_obeyed(character)) {
      result += escaped(character);
    } else {
      result += character;
    }
    text.remove_prefix(character.size());
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
