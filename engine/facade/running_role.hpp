// A relay, listener or sender as the facade sees it: its parts on every shard, and what it counts.
//
// Control thread only; what it does on shards goes through ShardThread::call().
#pragma once

#include "culvert/engine.hpp"
#include "facade/shard_thread.hpp"
#include "io/socket_file.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace culvert {

using ShardThreads = std::vector<std::unique_ptr<ShardThread>>;

class RunningRole {
public:
  virtual ~RunningRole() = default;
  virtual void drain() = 0;
  virtual void drop() = 0;
  [[nodiscard]] virtual RoleStats stats() const = 0;
  [[nodiscard]] virtual HostPort bound() const { return {}; }
};

/// What every role needs to be made.
struct RoleMaking {
  ShardThreads &threads;
  class PluginRegistry &plugins;
  class SecretStore &secrets;
  const EngineConfig &config;
  Random &random; // of the control thread
  Log &log;
};

/// A socket that all shards accept on, and where it is bound.
struct Listening {
  Socket socket;
  HostPort bound;
  SocketFile file; // of a unix socket
};
Result<Listening> listen_on(ShardThreads &threads, const HostPort &where);

Result<std::unique_ptr<RunningRole>> make_listener_role(const RoleMaking &making,
                                                        const ListenerConfig &config);
Result<std::unique_ptr<RunningRole>> make_sender_role(const RoleMaking &making,
                                                      const SenderConfig &config);
Result<std::unique_ptr<RunningRole>> make_relay_role(const RoleMaking &making,
                                                     const RelayConfig &config);

} // namespace culvert
