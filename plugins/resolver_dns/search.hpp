// How a name without a final dot is completed. c-ares reads it from resolv.conf too, but
// c-ares 1.34 does not tell what it has read.
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace dns {

struct Search {
  std::vector<std::string> domains; // in the order in which they are tried
  int ndots = 1;                    // a name with so many dots is first asked for as it is

  /// Reads a resolv.conf: `search` or `domain`, whichever comes last, and `options ndots:N`.
  static Search read(std::istream &file);
  /// The names to ask for in turn.
  [[nodiscard]] std::vector<std::string> candidates(const std::string &name) const;
};

} // namespace dns
