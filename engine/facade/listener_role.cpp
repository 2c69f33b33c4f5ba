#include "core/uuid.hpp"
#include "facade/client_role.hpp"
#include "role/listener.hpp"

#include <optional>

namespace culvert {
namespace {

class ListenerRole final : public RunningRole {
public:
  ListenerRole(ShardThreads &threads, ClientUnits units, ListenerOptions options)
      : options_(std::move(options)), counters_(static_cast<unsigned>(threads.size())),
        parts_(threads, std::move(units)) {}

  Status start(Random &random) {
    Status status = parts_.attach([&](std::optional<Listener> &part, const ClientKit &kit) {
      part.emplace(kit, options_, make_uuid(random), counters_, Delegate<>());
    });
    if (status.ok()) {
      parts_.for_each([](Listener &listener) { listener.start(); });
    }
    return status;
  }

  void drain() override {
    draining_ = true;
    parts_.for_each([](Listener &listener) { listener.drain(); });
  }
  void drop() override {
    draining_ = true;
    parts_.for_each([](Listener &listener) { listener.drop(); });
  }
  [[nodiscard]] RoleStats stats() const override {
    RoleStats stats = stats_of(counters_);
    if (counters_.parts_running.load(std::memory_order_acquire) == 0) {
      stats.state = RoleStats::State::kStopped;
    } else if (draining_) {
      stats.state = RoleStats::State::kDraining;
    } else if (counters_.channels_online.load(std::memory_order_relaxed) > 0) {
      stats.state = RoleStats::State::kOnline;
    } else if (counters_.channels_lost.load(std::memory_order_relaxed) > 0) {
      stats.state = RoleStats::State::kOffline;
    }
    return stats;
  }

private:
  const ListenerOptions options_;
  RoleCounters counters_;
  ClientParts<Listener> parts_;
  bool draining_ = false;
};

} // namespace

Result<std::unique_ptr<RunningRole>> make_listener_role(const RoleMaking &making,
                                                        const ListenerConfig &config) {
  if (config.target.unix_path.empty() && config.target.port == 0) {
    return Status::config("the target '" + config.target.text() + "' has port 0; write HOST:PORT");
  }
  if (Status status = RendezvousPolicy::check(config.rendezvous_hosts); !status.ok()) {
    return status;
  }
  Result<ClientUnits> units = ClientUnits::make(making.plugins, making.secrets, config, 0);
  if (!units.ok()) {
    return units.status();
  }
  const ConnectionString &connection = config.connection;
  ListenerOptions options;
  options.entity = {connection.host, connection.port, connection.entity_path};
  options.target = {config.target.host, config.target.port, config.target.unix_path};
  if (Status status = units.value().check(Purpose::kListen, options.entity, options.target.host);
      !status.ok()) {
    return status;
  }
  options.rendezvous_hosts = connection.gateways();
  options.rendezvous_hosts.insert(options.rendezvous_hosts.end(), config.rendezvous_hosts.begin(),
                                  config.rendezvous_hosts.end());
  options.drain_grace_ms = making.config.drain_grace_ms;
  auto role =
      std::make_unique<ListenerRole>(making.threads, std::move(units.value()), std::move(options));
  if (Status status = role->start(making.random); !status.ok()) {
    return status;
  }
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
