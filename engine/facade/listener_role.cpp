#include "core/uuid.hpp"
#include "facade/client_role.hpp"
#include "facade/take.hpp"
#include "role/listener.hpp"
#include "role/role_log.hpp"

#include <optional>

namespace culvert {
namespace {

/// A configuration that was found to work.
struct ListenerSetUp {
  ClientUnits units;
  ListenerOptions options;
};

Result<ListenerSetUp> set_up(const RoleMaking &making, const ListenerConfig &config) {
  if (config.target.unix_path.empty() && config.target.port == 0) {
    return Status::config("the target '" + config.target.text() + "' has port 0; write HOST:PORT");
  }
  ListenerSetUp made;
  ListenerOptions &options = made.options;
  Status status = RendezvousPolicy::check(config.rendezvous_hosts);
  if (status.ok()) {
    status = take(ClientUnits::make(making.plugins, making.secrets, config, 0), made.units);
  }
  const ConnectionString &connection = config.connection;
  options.entity = {connection.host, connection.port, connection.entity_path};
  options.target = {config.target.host, config.target.port, config.target.unix_path,
                    config.proxy_protocol};
  options.rendezvous_hosts = connection.gateways();
  options.rendezvous_hosts.insert(options.rendezvous_hosts.end(), config.rendezvous_hosts.begin(),
                                  config.rendezvous_hosts.end());
  options.drain_grace_ms = making.config.limits.drain_grace_ms;
  if (status.ok()) {
    status = made.units.check(Purpose::kListen, options.entity, options.target.host);
  }
  if (!status.ok()) {
    return status;
  }
  return made;
}

class ListenerRole final : public RunningRole {
public:
  ListenerRole(const RoleMaking &making, const ListenerConfig &config)
      : transport_(config.transport), log_(making.log, "listener", config.name),
        counters_(static_cast<unsigned>(making.threads.size())), parts_(making.threads, log_) {}

  Status start(ListenerSetUp made, Random &random) {
    entity_ = made.options.entity;
    Status status = parts_.serve(
        std::move(made.units), [&](std::optional<Listener> &part, const ClientKit &kit) {
          part.emplace(kit, made.options, make_uuid(random), counters_, Delegate<>());
        });
    if (status.ok()) {
      start_parts();
    }
    return status;
  }
  Status update_listener(const RoleMaking &making, const ListenerConfig &config) override {
    const ConnectionString &connection = config.connection;
    if (connection.host != entity_.host || connection.port != entity_.port) {
      return needs_restart("the relay of a listener");
    }
    if (connection.entity_path != entity_.path) {
      return needs_restart("the entity of a listener");
    }
    if (config.transport != transport_) {
      return needs_restart("transport");
    }
    Result<ListenerSetUp> made = set_up(making, config);
    if (!made.ok()) {
      return made.status();
    }
    return parts_.serve(std::move(made.value().units),
                        [&](std::optional<Listener> &part, const ClientKit &kit) {
                          part->use(kit, made.value().options);
                        });
  }
  bool tidy() override { return parts_.tidy(); }

  void drain() override {
    begin_draining();
    parts_.order_each([](Listener &listener) { listener.drain(); });
  }
  void drop() override {
    begin_draining();
    parts_.order_each([](Listener &listener) { listener.drop(); });
  }
  [[nodiscard]] RoleStats stats() const override {
    RoleStats stats = stats_of(counters_, kListenerEnds);
    put_state(stats, state(), counters_.channel_changed_s.load(std::memory_order_relaxed));
    return stats;
  }

private:
  [[nodiscard]] RoleStats::State state() const {
    if (counters_.parts_running.load(std::memory_order_acquire) == 0) {
      return RoleStats::State::kStopped;
    }
    if (draining()) {
      return RoleStats::State::kDraining;
    }
    if (counters_.channels_online.load(std::memory_order_relaxed) > 0) {
      return RoleStats::State::kOnline;
    }
    return counters_.channels_lost.load(std::memory_order_relaxed) > 0
               ? RoleStats::State::kOffline
               : RoleStats::State::kStarting;
  }
  /// The first keeps the control channel. It starts when the others are ready for its offers.
  void start_parts() {
    std::vector<Listener::Follower> followers;
    Listener *leader = nullptr;
    parts_.for_each([&](Listener &part) {
      if (leader == nullptr) {
        leader = &part;
        return;
      }
      followers.push_back({&part, &part.io()});
      part.follow();
      part.start();
    });
    parts_.for_each([&](Listener &part) {
      if (&part == leader) {
        part.lead(followers);
        part.start();
      }
    });
  }

  const std::string transport_;
  RoleLog log_;
  EntityAddress entity_;
  RoleCounters counters_;
  ClientParts<Listener> parts_;
};

} // namespace

Status check_listener_role(const RoleMaking &making, const ListenerConfig &config) {
  return set_up(making, config).status_or_ok();
}

Result<std::unique_ptr<RunningRole>> make_listener_role(const RoleMaking &making,
                                                        const ListenerConfig &config) {
  Result<ListenerSetUp> made = set_up(making, config);
  if (!made.ok()) {
    return made.status();
  }
  auto role = std::make_unique<ListenerRole>(making, config);
  if (Status status = role->start(std::move(made.value()), making.random); !status.ok()) {
    return status;
  }
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
