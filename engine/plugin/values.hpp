// Converts between the C ABI and the engine's values: writes arguments, and reads results with
// every check.
//
// Used inside one call into a plugin, by the instances of this folder only. A Reader remembers the
// first rule that a result broke; after reading everything the caller checks ok() once. It copies
// what it reads.
#pragma once

#include "core/limits.hpp"
#include "culvert/relay.h"
#include "culvert/status.hpp"
#include "culvert/transport.h"
#include "link/description.hpp"
#include "plugin/intent.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

inline culvert_view view_of(std::string_view text) {
  return {text.data(), text.size()};
}
std::vector<culvert_field> fields_of(const std::vector<Field> &fields);
culvert_message message_of(const Message &message);
culvert_status status_of(const Status &status);

/// Makes printable text on one line: control bytes become spaces, and a longer text is cut at
/// `limit` bytes, never inside a UTF-8 sequence.
std::string one_line(std::string_view text, std::size_t limit);

/// The text of a fixed array, up to its first zero byte, on one line.
template <std::size_t Size> std::string note_of(const char (&note)[Size]) {
  return one_line({note, static_cast<std::size_t>(std::find(note, note + Size, '\0') - note)},
                  Size);
}

/// "a, b".
std::string comma_list(const std::vector<std::string> &items);

/// What a plugin did wrong, as a Status of Source::kPlugin.
Status plugin_fault(std::string_view plugin_id, std::string_view function, std::string_view what);

class Reader {
public:
  Reader(std::string_view plugin_id, std::string_view function)
      : plugin_id_(plugin_id), function_(function) {}

  [[nodiscard]] bool ok() const { return fault_.ok(); }
  [[nodiscard]] const Status &fault() const { return fault_; }
  /// Remembers only the first fault.
  void refuse(std::string_view what);

  std::string text(culvert_view view, std::size_t limit, std::string_view what);
  /// The same, but bytes that end a line of a head or of a log are refused.
  std::string line(culvert_view view, std::size_t limit, std::string_view what);
  /// What may be written to a log: one line, cut at kLoggableIdBytes.
  std::string log_word(culvert_view view);
  std::vector<Field> fields(const culvert_field *fields, std::uint32_t count);
  std::vector<std::string> list(const culvert_view *views, std::uint32_t count,
                                std::string_view what);
  Message message(const culvert_message &message);
  /// A moment in Unix seconds, at most kLastSecond; 0: not said.
  std::int64_t second(std::int64_t value, std::string_view what);
  LinkDescription link(const culvert_link_description &link);
  Answer answer(const culvert_answer &answer);
  /// A verb that this engine does not know is refused as unsupported, not as a mistake.
  Intent intent(const culvert_intent &intent);
  /// A failure as the plugin describes it; a failure without a code is the plugin's mistake.
  Status failure(const culvert_status &status);

private:
  FramingOptions framing(std::uint32_t framing, std::uint32_t ping_interval_ms, culvert_view ping,
                         culvert_view pong, std::uint32_t largest_message);
  void check_framing(const FramingOptions &options);
  bool flag(std::uint32_t value, std::string_view what);
  bool readable(culvert_view view, std::size_t limit, std::string_view what);

  std::string_view plugin_id_;
  std::string_view function_;
  Status fault_;
};

} // namespace culvert
