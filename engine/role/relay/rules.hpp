// The relay's entities and the rules that apply to a path.
//
// Built once, then constant, and read by all shards. It owns the rules; a match points into it.
//
// Paths are compared segment by segment, ignoring the case of ASCII letters. A path belongs to the
// longest entity whose segments it begins with; the rest is a suffix. A path without an entity is
// judged by the relay's own rules, so that a wrong token does not reveal which entities exist.
#pragma once

#include "core/text.hpp"
#include "plugin/kinds.hpp"
#include "role/relay/listener_registry.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace culvert {

struct EntityOptions {
  std::string path; // without a leading '/'
  std::vector<Rule> rules;
  bool requires_client_authorization = true;       // false: senders need no token, listeners do
  ListenerChoice choice = ListenerChoice::kRandom; // of several listeners
};

class EntityTable {
public:
  struct Match {
    const std::string *entity = nullptr; // as configured; nullptr: there is none
    bool senders_need_token = true;
    ListenerChoice choice = ListenerChoice::kRandom;
    std::vector<const Rule *> rules; // the entity's first, then the relay's
  };

  /// The paths must have passed check().
  EntityTable(std::vector<EntityOptions> entities, std::vector<Rule> own_rules);

  /// Refuses paths that are equal or cannot be requested, and wrong rules.
  static Status check(const std::vector<EntityOptions> &entities);
  /// Refuses rules with the same name or without a right.
  static Status check_rules(const std::vector<Rule> &rules);

  [[nodiscard]] Match match(std::string_view path) const;
  /// Whether the path itself is an entity; ignoring case.
  [[nodiscard]] bool has(std::string_view path) const { return places_.contains(lower_case(path)); }
  /// The paths, in lower case, of the entities that a later table does not have.
  [[nodiscard]] std::vector<std::string> gone_in(const EntityTable &later) const;
  /// Why nothing begins for an entity that was there once.
  static Status removed();

private:
  std::vector<EntityOptions> entities_;
  std::vector<Rule> own_rules_;
  std::unordered_map<std::string, std::size_t> places_; // by the path in lower case
  std::size_t longest_ = 0;                             // bytes of the longest path
};

} // namespace culvert
