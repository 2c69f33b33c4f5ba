#include "facade/client_role.hpp"
#include "role/sender.hpp"

#include <optional>

namespace culvert {
namespace {

class SenderRole final : public RunningRole {
public:
  SenderRole(ShardThreads &threads, ClientUnits units, SenderOptions options)
      : options_(std::move(options)), counters_(static_cast<unsigned>(threads.size())),
        group_(static_cast<unsigned>(threads.size())), parts_(threads, std::move(units)) {}

  Status attach() {
    return parts_.attach([this](std::optional<Sender> &part, const ClientKit &kit) {
      part.emplace(kit, options_, counters_, Delegate<>());
    });
  }
  void start(Listening listening) {
    bound_ = listening.bound;
    file_ = std::move(listening.file);
    parts_.for_each([&](Sender &sender) {
      sender.share_with(group_);
      sender.start(listening.socket);
    });
  }

  void drain() override {
    draining_ = true;
    file_.remove(); // a successor may have the path at once
    parts_.for_each([](Sender &sender) { sender.drain(); });
  }
  void drop() override {
    draining_ = true;
    file_.remove(); // a successor may have the path at once
    parts_.for_each([](Sender &sender) { sender.drop(); });
  }
  [[nodiscard]] HostPort bound() const override { return bound_; }
  [[nodiscard]] RoleStats stats() const override {
    RoleStats stats = stats_of(counters_);
    stats.state = counters_.parts_running.load(std::memory_order_acquire) == 0
                      ? RoleStats::State::kStopped
                      : (draining_ ? RoleStats::State::kDraining : RoleStats::State::kOnline);
    return stats;
  }

private:
  const SenderOptions options_;
  RoleCounters counters_;
  AcceptGroup group_;
  ClientParts<Sender> parts_;
  HostPort bound_;
  SocketFile file_;
  bool draining_ = false;
};

} // namespace

Result<std::unique_ptr<RunningRole>> make_sender_role(const RoleMaking &making,
                                                      const SenderConfig &config) {
  Result<ClientUnits> units = ClientUnits::make(making.plugins, making.secrets, config, 0);
  if (!units.ok()) {
    return units.status();
  }
  const ConnectionString &connection = config.connection;
  SenderOptions options;
  options.entity = {connection.host, connection.port, connection.entity_path};
  if (Status status = units.value().check(Purpose::kDial, options.entity); !status.ok()) {
    return status;
  }
  options.drain_grace_ms = making.config.drain_grace_ms;
  auto role =
      std::make_unique<SenderRole>(making.threads, std::move(units.value()), std::move(options));
  if (Status status = role->attach(); !status.ok()) {
    return status;
  }
  Result<Listening> listening = listen_on(making.threads, config.bind, "--bind");
  if (!listening.ok()) {
    return listening.status();
  }
  role->start(std::move(listening.value()));
  making.log.write(LogLevel::kInfo, "listening on " + role->bound().text(),
                   {{"role", "sender"},
                    {"entity", connection.entity_path},
                    {"relay", connection.host + ":" + std::to_string(connection.port)}});
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
