// A relay, listener or sender as the facade sees it: its parts on every shard, and its counters.
//
// Control thread only; work on shards goes through ShardThread::call().
#pragma once

#include "culvert/engine.hpp"
#include "facade/shard_thread.hpp"
#include "io/socket_file.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace culvert {

using ShardThreads = std::vector<std::unique_ptr<ShardThread>>;

/// What every role needs when it is made or gets another configuration.
struct RoleMaking {
  ShardThreads &threads;
  class PluginSet &plugins;
  class SecretStore &secrets;
  const EngineConfig &config;
  Random &random; // of the control thread
  Log &log;
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

private:
  static Status no(std::string_view kind) {
    return Status::config("this role is no " + std::string(kind) +
                          "; update it with a configuration of its own kind");
  }
};

/// A socket that all shards accept on, and its address.
struct Listening {
  Socket socket;
  HostPort bound;
  SocketFile file; // of a unix socket
};
/// `mode`: of a unix socket; 0: by the umask.
Result<Listening> listen_on(ShardThreads &threads, const HostPort &where, unsigned mode);
/// Refuses a changed address: a running role keeps the one that was configured, or that it is bound
/// to.
Status check_bind(const HostPort &wanted, const HostPort &configured, const HostPort &bound);
/// The failure for a setting that a running role cannot change.
Status needs_restart(std::string_view setting);

Result<std::unique_ptr<RunningRole>> make_listener_role(const RoleMaking &making,
                                                        const ListenerConfig &config);
Result<std::unique_ptr<RunningRole>> make_sender_role(const RoleMaking &making,
                                                      const SenderConfig &config);
Result<std::unique_ptr<RunningRole>> make_relay_role(const RoleMaking &making,
                                                     const RelayConfig &config);

} // namespace culvert
