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

  /// NAME=ADDR[,ADDR]; what is wrong with it, or nothing. A name that comes again is added to.
  std::string add_entry(std::string_view entry);
  /// The lines of a hosts file; what cannot be read in it is skipped, as everybody does.
  void add_hosts(std::string_view content);
  /// In the order in which they were written; nullptr for an unknown name.
  [[nodiscard]] const Addresses *find(std::string_view name) const;

private:
  std::map<std::string, Addresses> entries_; // in lower case
  std::map<std::string, Addresses> hosts_;
};

} // namespace resolver
