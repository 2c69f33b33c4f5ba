#include "role/relay/rules.hpp"

#include "role/relay/text.hpp"

#include <unordered_set>

namespace culvert {

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
    if (path.empty() || path.front() == '/' || path.back() == '/' ||
        path.find("//") != std::string::npos) {
      return Status::config("entity '" + path + "': write its path as one or more names with a " +
                            "single '/' between them, without one at either end");
    }
    if (!known.insert(lower_case(path)).second) {
      return Status::config("entity '" + path + "' is given twice (case does not count): remove " +
                            "one of them");
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
