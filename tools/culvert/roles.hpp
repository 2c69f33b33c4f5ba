// The roles of one process: started together, and brought in line with a new configuration by a
// reload.
//
// On the engine's control thread. The engine and the log must live longer.
#pragma once

#include "command.hpp"

#include <string>
#include <vector>

namespace culvert::command {

/// What a reload did.
struct Reloaded {
  unsigned started = 0;
  unsigned updated = 0;
  unsigned stopped = 0;
  unsigned unchanged = 0;
  std::vector<Status> failures; // what could not be applied although it was found right
};

class Roles {
public:
  Roles(Engine &engine, Log &log) : engine_(engine), log_(log) {}

  /// Starts all roles, or returns the first failure.
  Status start(const LoadedConfig &loaded);
  /// Asks the engine about each role, without changing anything. The messages name the role.
  [[nodiscard]] static std::vector<ConfigMistake> check(Engine &engine, const LoadedConfig &loaded);
  /// Brings the running roles in line with a configuration that check() has found right: by kind
  /// and name, starts what is new, updates what is there, drains what is gone. What an update
  /// cannot change is started anew: before the old one drains, unless it needs the old one's
  /// address. A failure means that nothing has changed.
  Result<Reloaded> apply(const LoadedConfig &loaded);
  [[nodiscard]] const std::vector<RoleId> &ids() const { return ids_; }

private:
  /// A role in one of the three kinds, as far as they are alike.
  struct Facts {
    std::string kind;
    std::string name;
    std::string print;               // the fingerprint
    std::string kept;                // what an update cannot change
    std::vector<HostPort> addresses; // that it listens on
    [[nodiscard]] std::string title() const { return kind + " '" + name + "'"; }
  };
  struct Running {
    Facts facts;
    RoleId id = 0;
  };
  struct Wanted {
    Facts facts;
    ConfigPlace place;
    std::function<Status(Engine &)> check;
    std::function<Result<RoleId>(Engine &)> start;
    std::function<Status(Engine &, RoleId)> update;
    bool done = false;
  };
  template <typename Config>
  static void add(const std::vector<Config> &configs, const std::vector<RolePlaces> &places,
                  std::vector<Wanted> &wanted);
  static std::vector<Wanted> all_of(const LoadedConfig &loaded);
  Running *find(const Facts &facts);
  [[nodiscard]] bool must_wait(const Wanted &wanted) const;
  Status start_ahead(std::vector<Wanted> &wanted, std::vector<Running> &made, Reloaded &reloaded);
  void update(std::vector<Wanted> &wanted, Reloaded &reloaded);
  void stop_gone(const std::vector<Wanted> &wanted, Reloaded &reloaded);
  void start_rest(std::vector<Wanted> &wanted, Reloaded &reloaded);
  void list();

  void say(LogLevel level, const std::string &what, const Facts &facts);

  Engine &engine_;
  Log &log_;
  std::vector<Running> running_;
  std::vector<RoleId> ids_;
};

/// A failure of one role, which names it.
Status of_role(const std::string &title, Status status);

} // namespace culvert::command
