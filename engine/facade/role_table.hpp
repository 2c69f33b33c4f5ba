// The roles of an engine, by id: those that run, and what is left of those that have stopped.
//
// The control thread alone changes it and uses all of it. snapshot() may be called from any thread;
// the mutex is for that, and is never held while a role starts, changes or is destroyed.
#pragma once

#include "facade/running_role.hpp"

#include <mutex>
#include <vector>

namespace culvert {

class RoleTable {
public:
  /// `facts`: what a snapshot says of its configuration.
  RoleId add(std::unique_ptr<RunningRole> role, RoleSnapshot facts);
  /// The role has another configuration.
  void changed(RoleId role, RoleSnapshot facts);
  /// nullptr: it has stopped, or does not exist.
  [[nodiscard]] RunningRole *running(RoleId role) const;
  [[nodiscard]] bool empty() const { return roles_.empty(); }
  [[nodiscard]] bool stopped(RoleId role) const;
  [[nodiscard]] bool all_stopped() const;
  [[nodiscard]] HostPort bound(RoleId role) const;
  [[nodiscard]] RoleStats stats(RoleId role) const;
  /// Those that have not stopped.
  [[nodiscard]] std::vector<RoleSnapshot> snapshot() const;
  /// Calls `visit` with the running ones, the last one first: a listener leaves its relay before
  /// that relay, if it is here, leaves it.
  template <typename Visit> void for_each_backwards(Visit visit) {
    for (auto role = roles_.rbegin(); role != roles_.rend(); ++role) {
      if (role->running != nullptr) {
        visit(*role->running);
      }
    }
  }
  /// Gives up roles that have stopped, and what changed roles need no more. False: something is
  /// left to look at later.
  bool tidy();
  /// Destroys all of them.
  void clear();

private:
  struct Role {
    std::unique_ptr<RunningRole> running; // none: it has stopped
    RoleStats last;                       // then
    HostPort bound;
    RoleSnapshot facts;
    [[nodiscard]] bool stopped() const;
  };

  mutable std::mutex mutex_; // of changes, and of snapshot()
  std::vector<Role> roles_;  // by id
};

RoleSnapshot facts_of(const RelayConfig &config);
RoleSnapshot facts_of(const ListenerConfig &config);
RoleSnapshot facts_of(const SenderConfig &config);

} // namespace culvert
