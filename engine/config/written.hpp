// What an operator wrote, in a file or behind a flag, before anybody has judged it.
//
// Plain values; any thread.
#pragma once

#include "culvert/config_file.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace culvert {

struct WrittenEntry;

/// A value; of a table its entries. A value of a flag is a text, or a list of texts.
struct Written {
  using List = std::vector<Written>;
  using Table = std::vector<WrittenEntry>; // in the order of their places
  struct Other {
    std::string_view words; // "a date"
  };
  std::variant<std::string, std::int64_t, bool, List, Table, Other> value;
  ConfigPlace place;
  bool of_flag = false;

  [[nodiscard]] const std::string *text() const { return std::get_if<std::string>(&value); }
  [[nodiscard]] const List *list() const { return std::get_if<List>(&value); }
  [[nodiscard]] const Table *table() const { return std::get_if<Table>(&value); }
  /// "a number", for a sentence.
  [[nodiscard]] std::string_view words() const;
};

struct WrittenEntry {
  std::string key;
  ConfigPlace place; // of the key
  Written value;
};

/// A text in quotes for a sentence: control characters as '?', and cut when it is long.
std::string in_quotes(std::string_view text);

/// The nearest of the words if it is near enough to be meant; else "".
std::string nearest_word(std::string_view word, const std::vector<std::string> &words);
/// "a, b or c"
std::string one_of(const std::vector<std::string> &words, std::string_view last = " or ");

} // namespace culvert
