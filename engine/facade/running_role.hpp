// A relay, listener or sender as the facade sees it: its parts on every shard, and its counters.
//
// Control thread only, except for stats() and count_entities(), which any thread may call while the
// role exists; work on shards goes through ShardThread::call(). drain() and drop() give
// orders to the shards instead: a shard that is blocked by a plugin does not block them.
#pragma once

#include "core/clock.hpp"
#include "culvert/engine.hpp"
#include "facade/shard_thread.hpp"
#include "io/socket_file.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert {

using ShardThreads = std::vector<std::unique_ptr<ShardThread>>;

/// The warnings of the latest check of each relay, by its name: making or changing it after the
/// check does not repeat them.
using CheckedWarnings = std::map<std::string, std::vector<std::string>>;

/// What every role needs when it is made or gets another configuration.
struct RoleMaking {
  ShardThreads &threads;
  class PluginSet &plugins;
  class SecretStore &secrets;
  const EngineConfig &config;
  Random &random; // of the control thread
  Log &log;
  CheckedWarnings &checked;
};

class RunningRole {
public:
  virtual ~RunningRole() = default;
  virtual void drain() = 0;
  virtual void drop() = 0;
  /// A role refuses all of these except the one of its own kind.
  virtual Status update_relay(const RoleMaking &, const RelayConfig &) { return no("relay"); }
  virtual Status update_listener(const RoleMaking &, const ListenerConfig &) {
    return no("listener");
  }
  virtual Status update_sender(const RoleMaking &, const SenderConfig &) { return no("sender"); }
  /// Destroys older instances that no connection uses any more; true if none is left.
  virtual bool tidy() = 0;
  [[nodiscard]] virtual RoleStats stats() const = 0;
  [[nodiscard]] virtual HostPort bound() const { return {}; }
  /// Of a relay: what it has of these entities, by their paths.
  virtual void count_entities(std::vector<EntityStats> &) const {}

protected:
  void begin_draining() {
    draining_since_s_.store(SystemClock().wall_s(), std::memory_order_relaxed);
  }
  [[nodiscard]] bool draining() const {
    return draining_since_s_.load(std::memory_order_relaxed) != 0;
  }
  /// The state with its beginning; `changed_s`: when something other than this role changed it.
  void put_state(RoleStats &stats, RoleStats::State state, std::int64_t changed_s = 0) const {
    const std::int64_t draining_s = draining_since_s_.load(std::memory_order_relaxed);
    stats.state = state;
    stats.since_s = draining_s != 0 ? draining_s : std::max(started_s_, changed_s);
  }

private:
  const std::int64_t started_s_ = SystemClock().wall_s();
  std::atomic<std::int64_t> draining_since_s_ = 0;

  static Status no(std::string_view kind) {
    return Status::config("this role is no " + std::string(kind) +
                          "; update it with a configuration of its own kind");
  }
};

/// The sockets that all shards accept on, and their addresses.
struct Listening {
  std::vector<Socket> sockets;
  std::vector<HostPort> configured;
  std::vector<HostPort> bound;   // with real ports
  unsigned mode = 0;             // of unix sockets; 0: by the umask
  std::vector<SocketFile> files; // of unix sockets

  void remove_files();
  /// A running role keeps its addresses, as they were configured or as they are bound, and the mode
  /// of its unix sockets.
  [[nodiscard]] Status check(const BindConfig &wanted) const;
  /// A line for each.
  void log(Log &log, std::initializer_list<LogField> fields) const;
};
/// The addresses can be listened on together, as far as one can say without doing it.
Status check_addresses(const BindConfig &config);
/// A relay has one protocol at least, and none twice.
Status check_protocols(const std::vector<std::string> &protocols);
/// On all of them or none.
Result<Listening> listen_on(ShardThreads &threads, const BindConfig &config);
/// The failure for a setting that a running role cannot change.
Status needs_restart(std::string_view setting);

/// What making the role would find wrong, without its addresses in use.
Status check_listener_role(const RoleMaking &making, const ListenerConfig &config);
Status check_sender_role(const RoleMaking &making, const SenderConfig &config);
Status check_relay_role(const RoleMaking &making, const RelayConfig &config);

Result<std::unique_ptr<RunningRole>> make_listener_role(const RoleMaking &making,
                                                        const ListenerConfig &config);
Result<std::unique_ptr<RunningRole>> make_sender_role(const RoleMaking &making,
                                                      const SenderConfig &config);
Result<std::unique_ptr<RunningRole>> make_relay_role(const RoleMaking &making,
                                                     const RelayConfig &config);

} // namespace culvert
