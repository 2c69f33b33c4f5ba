#include "support/sim/sim_log.hpp"

#include <array>

namespace culvert {

void SimLog::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) {
  static constexpr std::array<std::string_view, 5> kWords = {"error", "warn", "info", "debug",
                                                             "trace"};
  std::string line = std::to_string(world_.now_ns() / 1'000) + ' ';
  line += kWords[static_cast<std::size_t>(level)];
  line += ' ';
  line += message;
  for (const LogField &field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    line += field.value;
  }
  world_.note(std::as_bytes(std::span(line)));
  lines_.push_back(std::move(line));
  if (on_line) {
    on_line(message, fields);
  }
}

} // namespace culvert
