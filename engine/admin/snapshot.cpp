#include "culvert/snapshot.hpp"

namespace culvert {

using State = RoleStats::State;

std::string_view word(State state) {
  constexpr std::string_view kWords[] = {"starting", "online", "offline", "draining", "stopped"};
  return kWords[static_cast<std::size_t>(state)];
}

std::string_view word(RoleKind kind) {
  constexpr std::string_view kWords[] = {"relay", "listener", "sender"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string Snapshot::not_healthy() const {
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (!shards[i].answered) {
      return "shard " + std::to_string(i) + " does not answer";
    }
  }
  return "";
}

std::string Snapshot::not_ready() const {
  if (std::string why = not_healthy(); !why.empty()) {
    return why;
  }
  bool any = false;
  for (const RoleSnapshot &role : roles) {
    if (role.stats.state == State::kDraining) {
      continue; // another one may have taken its place
    }
    any = true;
    if (role.stats.state != State::kOnline) {
      return std::string(word(role.kind)) + (role.name.empty() ? "" : " '" + role.name + "'") +
             " is " + std::string(word(role.stats.state)) +
             (role.stats.last_failure.empty() ? "" : ": " + role.stats.last_failure);
    }
  }
  return any ? "" : "no relay, listener or sender runs, or all of them drain";
}

} // namespace culvert
