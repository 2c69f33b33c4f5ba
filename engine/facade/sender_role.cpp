#include "facade/client_role.hpp"
#include "facade/take.hpp"
#include "role/proof.hpp"
#include "role/role_log.hpp"
#include "role/sender.hpp"

#include <optional>

namespace culvert {
namespace {

/// A configuration that was found to work.
struct SenderSetUp {
  ClientUnits units;
  SenderOptions options;
};

Result<SenderSetUp> set_up(const RoleMaking &making, const SenderConfig &config) {
  SenderSetUp made;
  Status status = take(ClientUnits::make(making.plugins, making.secrets, config, 0), made.units);
  const ConnectionString &connection = config.connection;
  made.options.entity = {connection.host, connection.port, connection.entity_path};
  made.options.tcp_health = config.tcp_health;
  made.options.tell_app_address = config.tell_app_address;
  made.options.drain_grace_ms = making.config.limits.drain_grace_ms;
  if (status.ok()) {
    status = made.units.check(Purpose::kDial, made.options.entity);
  }
  if (!status.ok()) {
    return status;
  }
  return made;
}

class SenderRole final : public RunningRole {
public:
  SenderRole(const RoleMaking &making, const SenderConfig &config)
      : transport_(config.transport), prove_at_start_(config.prove_at_start),
        threads_(making.threads), log_(making.log, "sender", config.name),
        counters_(static_cast<unsigned>(threads_.size())),
        group_(static_cast<unsigned>(threads_.size())), parts_(threads_, log_) {}
  ~SenderRole() override {
    threads_[0]->call([this] { proof_.reset(); });
  }

  Status attach(SenderSetUp made) {
    return parts_.serve(std::move(made.units),
                        [&](std::optional<Sender> &part, const ClientKit &kit) {
                          part.emplace(kit, made.options, counters_, Delegate<>());
                          if (prove_at_start_ && !proof_) { // on the first shard
                            proof_.emplace(kit, made.options.entity, counters_);
                          }
                        });
  }
  void start(Listening listening) {
    listening_ = std::move(listening);
    parts_.for_each([&](Sender &sender) {
      sender.share_with(group_);
      sender.start(listening_.sockets);
    });
    threads_[0]->call([this] {
      if (proof_) {
        proof_->start(listening_.bound.front().text());
      }
    });
  }
  [[nodiscard]] const Listening &listening() const { return listening_; }
  Status update_sender(const RoleMaking &making, const SenderConfig &config) override {
    Status kept = listening_.check(config);
    if (!kept.ok()) {
      return kept;
    }
    if (config.transport != transport_) {
      return needs_restart("transport");
    }
    Result<SenderSetUp> made = set_up(making, config);
    if (!made.ok()) {
      return made.status();
    }
    return parts_.serve(std::move(made.value().units),
                        [&](std::optional<Sender> &part, const ClientKit &kit) {
                          part->use(kit, made.value().options);
                          if (proof_ && kit.shard.index == 0) {
                            proof_->use(kit, made.value().options.entity);
                          }
                        });
  }
  bool tidy() override { return parts_.tidy(); }

  void drain() override {
    begin_draining();
    listening_.remove_files(); // a successor may have the path at once
    parts_.order_each([](Sender &sender) { sender.drain(); });
    end_proof();
  }
  void drop() override {
    begin_draining();
    listening_.remove_files(); // a successor may have the path at once
    parts_.order_each([](Sender &sender) { sender.drop(); });
    end_proof();
  }
  [[nodiscard]] HostPort bound() const override { return listening_.bound.front(); }
  [[nodiscard]] RoleStats stats() const override {
    RoleStats stats = stats_of(counters_, kSenderEnds);
    const bool stopped = counters_.parts_running.load(std::memory_order_acquire) == 0 &&
                         !(proof_ && proof_->running());
    put_state(stats, stopped      ? RoleStats::State::kStopped
                     : draining() ? RoleStats::State::kDraining
                                  : RoleStats::State::kOnline);
    return stats;
  }

private:
  void end_proof() {
    threads_[0]->order([this] {
      if (proof_) {
        proof_->cancel();
      }
    });
  }

  const std::string transport_;
  const bool prove_at_start_;
  ShardThreads &threads_;
  RoleLog log_;
  RoleCounters counters_;
  AcceptGroup group_;
  ClientParts<Sender> parts_;
  std::optional<Proof> proof_; // on the first shard
  Listening listening_;
};

} // namespace

Status check_sender_role(const RoleMaking &making, const SenderConfig &config) {
  Status status = check_addresses(config);
  return status.ok() ? set_up(making, config).status_or_ok() : status;
}

Result<std::unique_ptr<RunningRole>> make_sender_role(const RoleMaking &making,
                                                      const SenderConfig &config) {
  Result<SenderSetUp> made = set_up(making, config);
  if (!made.ok()) {
    return made.status();
  }
  auto role = std::make_unique<SenderRole>(making, config);
  if (Status status = role->attach(std::move(made.value())); !status.ok()) {
    return status;
  }
  Result<Listening> listening = listen_on(making.threads, config);
  if (!listening.ok()) {
    return listening.status();
  }
  role->start(std::move(listening.value()));
  const ConnectionString &connection = config.connection;
  const std::string relay = connection.host + ":" + std::to_string(connection.port);
  const LogField sender{"role", "sender"};
  const LogField entity{"entity", connection.entity_path};
  if (config.endpoint.text() == HostPort{}.text()) {
    role->listening().log(making.log, {sender, entity, {"relay", relay}});
  } else {
    role->listening().log(making.log,
                          {sender, entity, {"relay", relay}, {"endpoint", config.endpoint.text()}});
  }
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
