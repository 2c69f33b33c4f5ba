// A table of names and their addresses, for the resolver plugins: the operator's entries, and the
// lines of a hosts file.
#pragma once

#include "culvert/resolver.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace names {

/// An IPv4 or IPv6 literal, the latter with or without brackets.
std::optional<culvert_address> parse_literal(std::string_view text);

class Table {
public:
  using Addresses = std::vector<culvert_address>;

  /// Adds the operator's entries, NAME=ADDR[,ADDR]. A name that comes again gets more addresses. An
  /// entry that cannot be read is an sdk::Error that names it.
  void add_entries(const std::vector<std::string> &entries);
  /// Takes the lines of a hosts file in place of those before; a line that cannot be read is
  /// skipped, as other programs do.
  void use_hosts(std::string_view content);
  /// In the order in which they were written; nullptr for an unknown name.
  [[nodiscard]] const Addresses *find(std::string_view name) const;

private:
  std::string add_entry(std::string_view entry);

  std::map<std::string, Addresses> entries_; // in lower case
  std::map<std::string, Addresses> hosts_;
};

} // namespace names
