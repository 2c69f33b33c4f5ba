// The relay's entities and the rules that apply to a path.
//
// Built once and then constant: read by all shards at once. It owns the rules; a match points into
// it.
//
// Paths are compared segment by segment, ignoring the case of ASCII letters. A path belongs to the
// longest entity whose segments it begins with; what stands behind is a suffix. A path of no entity
// is judged by the relay's own rules, so that a wrong token tells nothing of what exists.
#pragma once

#include "plugin/kinds.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace culvert {

struct EntityOptions {
  std::string path; // without a leading '/'
  std::vector<Rule> rules;
};

class EntityTable {
public:
  struct Match {
    const std::string *entity = nullptr; // as configured; nullptr: there is none
    std::vector<const Rule *> rules;     // the entity's first, then the relay's
  };

  /// The paths must have passed check().
  EntityTable(std::vector<EntityOptions> entities, std::vector<Rule> own_rules);

  /// Paths that cannot be told apart or cannot be asked for, and their rules.
  static Status check(const std::vector<EntityOptions> &entities);
  /// Rules that cannot be told apart or give nothing.
  static Status check_rules(const std::vector<Rule> &rules);

  [[nodiscard]] Match match(std::string_view path) const;

private:
  std::vector<EntityOptions> entities_;
  std::vector<Rule> own_rules_;
  std::unordered_map<std::string, std::size_t> places_; // by the path in lower case
};

} // namespace culvert
