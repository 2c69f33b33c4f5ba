// A table of names and their addresses. Filled on the control thread, then only read.
#pragma once

#include "culvert/resolver.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resolver {

/// An IPv4 or IPv6 literal, the latter with or without brackets.
std::optional<culvert_address> parse_literal(std::string_view text);

class Table {
public:
  using Addresses = std::vector<culvert_address>;

  /// Adds NAME=ADDR[,ADDR]; returns what is wrong with the text, or nothing. A name that comes
  /// again gets more addresses.
  std::string add_entry(std::string_view entry);
  /// Adds the lines of a hosts file; a line that cannot be read is skipped, as other programs do.
  void add_hosts(std::string_view content);
  /// In the order in which they were written; nullptr for an unknown name.
  [[nodiscard]] const Addresses *find(std::string_view name) const;

private:
  std::map<std::string, Addresses> entries_; // in lower case
  std::map<std::string, Addresses> hosts_;
};

} // namespace resolver
