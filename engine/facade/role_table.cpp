#include "facade/role_table.hpp"

#include <algorithm>
#include <utility>

namespace culvert {
namespace {

using State = RoleStats::State;

RoleSnapshot facts_of_client(RoleKind kind, const ClientConfig &config) {
  RoleSnapshot facts;
  facts.kind = kind;
  facts.name = config.name;
  facts.relay = HostPort{config.connection.host, config.connection.port, ""}.text();
  facts.entity = config.connection.entity_path;
  return facts;
}

} // namespace

RoleSnapshot facts_of(const RelayConfig &config) {
  RoleSnapshot facts;
  facts.kind = RoleKind::kRelay;
  facts.name = config.name;
  for (const EntityConfig &entity : config.entities) {
    facts.entities.emplace_back().path = entity.path;
  }
  return facts;
}

RoleSnapshot facts_of(const ListenerConfig &config) {
  RoleSnapshot facts = facts_of_client(RoleKind::kListener, config);
  facts.target = config.target.text();
  return facts;
}

RoleSnapshot facts_of(const SenderConfig &config) {
  RoleSnapshot facts = facts_of_client(RoleKind::kSender, config);
  if (config.endpoint.text() != HostPort{}.text()) {
    facts.endpoint = config.endpoint.text();
  }
  return facts;
}

bool RoleTable::Role::stopped() const {
  return running == nullptr || running->stats().state == State::kStopped;
}

RoleId RoleTable::add(std::unique_ptr<RunningRole> role, RoleSnapshot facts) {
  if (facts.kind != RoleKind::kListener) {
    facts.bound = role->bound().text();
  }
  const std::lock_guard lock(mutex_);
  roles_.push_back({std::move(role), {}, {}, std::move(facts)});
  return static_cast<RoleId>(roles_.size() - 1);
}

void RoleTable::changed(RoleId role, RoleSnapshot facts) {
  const std::lock_guard lock(mutex_);
  facts.bound = roles_[role].facts.bound;
  roles_[role].facts = std::move(facts);
}

RunningRole *RoleTable::running(RoleId role) const {
  return role < roles_.size() ? roles_[role].running.get() : nullptr;
}

bool RoleTable::stopped(RoleId role) const {
  return role >= roles_.size() || roles_[role].stopped();
}

bool RoleTable::all_stopped() const {
  return std::all_of(roles_.begin(), roles_.end(), [](const Role &role) { return role.stopped(); });
}

HostPort RoleTable::bound(RoleId role) const {
  if (role >= roles_.size()) {
    return {};
  }
  return running(role) == nullptr ? roles_[role].bound : running(role)->bound();
}

RoleStats RoleTable::stats(RoleId role) const {
  if (role >= roles_.size()) {
    RoleStats none;
    none.state = State::kStopped;
    return none;
  }
  return running(role) == nullptr ? roles_[role].last : running(role)->stats();
}

std::vector<RoleSnapshot> RoleTable::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<RoleSnapshot> all;
  for (const Role &role : roles_) {
    if (role.running == nullptr) {
      continue;
    }
    RoleSnapshot one = role.facts;
    one.id = static_cast<RoleId>(&role - roles_.data());
    one.stats = role.running->stats();
    role.running->count_entities(one.entities);
    if (one.stats.state != State::kStopped) {
      all.push_back(std::move(one));
    }
  }
  return all;
}

bool RoleTable::tidy() {
  bool done = true;
  for (Role &role : roles_) {
    if (role.running == nullptr) {
      continue;
    }
    if (!role.stopped()) {
      const bool tidied = role.running->tidy();
      done = done && tidied && role.running->stats().state != State::kDraining;
      continue;
    }
    role.last = role.running->stats();
    role.bound = role.running->bound();
    std::unique_ptr<RunningRole> gone; // in front of the lock: destroyed after it
    const std::lock_guard lock(mutex_);
    gone = std::move(role.running);
  }
  return done;
}

void RoleTable::clear() {
  std::vector<Role> gone; // as in tidy()
  const std::lock_guard lock(mutex_);
  gone = std::move(roles_);
}

} // namespace culvert
