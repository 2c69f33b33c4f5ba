#include "role/relay/rules.hpp"

#include "role/relay/text.hpp"

#include <algorithm>
#include <unordered_set>

namespace culvert {
namespace {

constexpr std::size_t kLongestPath = 260; // Azure's bound for an entity's path
constexpr std::size_t kLongestRuleName = 256;

/// What stays itself in a request target, whoever writes or reads it.
bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '~' || c == '/';
}

Status check_path(const std::string &path) {
  if (path.empty() || path.front() == '/' || path.back() == '/' ||
      path.find("//") != std::string::npos) {
    return Status::config("entity '" + loggable(path) + "': write its path as one or more names " +
                          "with a single '/' between them, without one at either end");
  }
  if (path.size() > kLongestPath || !std::all_of(path.begin(), path.end(), is_path_character)) {
    return Status::config("entity '" + loggable(path) + "': write its path with at most 260 of " +
                          "the characters A-Z a-z 0-9 . - _ ~ /");
  }
  return {};
}

} // namespace

EntityTable::EntityTable(std::vector<EntityOptions> entities, std::vector<Rule> own_rules)
    : entities_(std::move(entities)), own_rules_(std::move(own_rules)) {
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    const bool is_new = places_.emplace(lower_case(entities_[i].path), i).second;
    CULVERT_ASSERT(is_new);
  }
}

Status EntityTable::check(const std::vector<EntityOptions> &entities) {
  std::unordered_set<std::string> known;
  for (const EntityOptions &entity : entities) {
    const std::string &path = entity.path;
    Status status = check_path(path);
    if (status.ok()) {
      status = check_rules(entity.rules);
    }
    if (!status.ok()) {
      return status;
    }
    if (!known.insert(lower_case(path)).second) {
      return Status::config("entity '" + path + "' is given twice (case does not count): remove " +
                            "one of them");
    }
  }
  return {};
}

Status EntityTable::check_rules(const std::vector<Rule> &rules) {
  std::unordered_set<std::string> known;
  for (const Rule &rule : rules) {
    if (rule.name.empty() || rule.name.size() > kLongestRuleName) {
      return Status::config("a rule has no name or one of over 256 characters: give it a shorter "
                            "one");
    }
    if (rule.rights == 0) {
      return Status::config("rule '" + loggable(rule.name) +
                            "' gives no right: give it listen, send or manage");
    }
    if (!known.insert(lower_case(rule.name)).second) {
      return Status::config("rule '" + loggable(rule.name) +
                            "' is given twice (case does not count): remove one of them");
    }
  }
  return {};
}

EntityTable::Match EntityTable::match(std::string_view path) const {
  Match match;
  std::string asked = lower_case(path);
  while (!asked.empty()) {
    const auto found = places_.find(asked);
    if (found != places_.end()) {
      const EntityOptions &entity = entities_[found->second];
      match.entity = &entity.path;
      for (const Rule &rule : entity.rules) {
        match.rules.push_back(&rule);
      }
      break;
    }
    const std::size_t border = asked.rfind('/');
    asked.resize(border == std::string::npos ? 0 : border);
  }
  for (const Rule &rule : own_rules_) {
    match.rules.push_back(&rule);
  }
  return match;
}

} // namespace culvert
