// Reading and writing the JSON of control messages. Reading builds no tree: it walks the text once
// and keeps only the strings that were asked for, so its time is linear whatever the text holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace azure {

/// One member of a top-level member that a caller wants, as in {"accept":{"address":"..."}}, or a
/// member of that.
struct JsonWanted {
  std::string_view outer;
  std::string_view inner;
  bool found = false; // it is there and a string
  std::string value = {};
  std::string_view innermost = {};
};

struct JsonMessage {
  bool valid = false;                  // one JSON object, within the bounds
  std::vector<std::string> outer = {}; // its top-level keys, the first few
  [[nodiscard]] bool has(std::string_view key) const;
};

JsonMessage read_json(std::string_view text, std::vector<JsonWanted> &wanted);

/// With quotes. `text` that is not UTF-8 is read as Latin-1, as HTTP once defined it.
std::string json_string(std::string_view text);

} // namespace azure
