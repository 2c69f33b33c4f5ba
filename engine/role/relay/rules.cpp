#include "role/relay/rules.hpp"

#include "config/entity_path.hpp"
#include "core/limits.hpp"
#include "role/relay/text.hpp"

#include <algorithm>
#include <unordered_set>

namespace culvert {
namespace {

Status check_path(const std::string &path) {
  const std::string remedy = entity_path_remedy(path);
  return remedy.empty() ? Status{} : Status::config("entity '" + loggable(path) + "': " + remedy);
}

/// Where the last segment of a path begins, with its slash; 0 if it is the only one.
std::size_t last_border(const std::string &path) {
  const std::size_t border = path.rfind('/');
  return border == std::string::npos ? 0 : border;
}

} // namespace

EntityTable::EntityTable(std::vector<EntityOptions> entities, std::vector<Rule> own_rules)
    : entities_(std::move(entities)), own_rules_(std::move(own_rules)) {
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    const bool is_new = places_.emplace(lower_case(entities_[i].path), i).second;
    CULVERT_ASSERT(is_new);
    longest_ = std::max(longest_, entities_[i].path.size());
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
    if (rule.name.empty() || rule.name.size() > kRuleNameBytes) {
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

std::vector<std::string> EntityTable::gone_in(const EntityTable &later) const {
  std::vector<std::string> gone;
  for (const auto &[path, place] : places_) {
    if (!later.has(path)) {
      gone.push_back(path);
    }
  }
  return gone;
}

EntityTable::Match EntityTable::match(std::string_view path) const {
  Match match;
  std::string asked = lower_case(path.substr(0, longest_ + 1)); // a peer's path may have 40 KB
  if (asked.size() > longest_) {
    asked.resize(last_border(asked));
  }
  while (!asked.empty()) {
    const auto found = places_.find(asked);
    if (found != places_.end()) {
      const EntityOptions &entity = entities_[found->second];
      match.entity = &entity.path;
      match.senders_need_token = entity.requires_client_authorization;
      match.choice = entity.choice;
      for (const Rule &rule : entity.rules) {
        match.rules.push_back(&rule);
      }
      break;
    }
    asked.resize(last_border(asked));
  }
  for (const Rule &rule : own_rules_) {
    match.rules.push_back(&rule);
  }
  return match;
}

Status EntityTable::removed() {
  return Status::failure(Code::kNoEntity, Source::kRelay, Retry::kNever,
                         "the relay does not have this entity any more");
}

} // namespace culvert
