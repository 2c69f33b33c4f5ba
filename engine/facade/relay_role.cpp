#include "core/clock.hpp"
#include "crypto/certificate.hpp"
#include "facade/client_role.hpp"
#include "facade/rules.hpp"
#include "facade/take.hpp"
#include "role/relay/relay_shard.hpp"

#include <algorithm>
#include <optional>

namespace culvert {
namespace {

/// What a relay serves its connections with, made once and read by every shard.
struct RelayUnits {
  std::vector<std::unique_ptr<Unit>> protocols;
  std::unique_ptr<Unit> auth;
  Credentials credentials;
};

std::string comma_list(const std::vector<std::string> &items) {
  std::string text;
  for (const std::string &item : items) {
    text += (text.empty() ? "" : ",") + item;
  }
  return text;
}

/// Only a warning: a proxy in front of the relay may have the certificate for a name.
void warn_of_uncovered(Log &log, const RelayConfig &config, const Credentials &credentials) {
  const Result<CertificateFacts> facts = inspect_certificate(credentials.certificate_pem);
  std::vector<std::string> names = config.names;
  if (!config.public_host.empty() &&
      std::find(names.begin(), names.end(), config.public_host) == names.end()) {
    names.push_back(config.public_host);
  }
  for (const std::string &name : names) {
    if (facts.ok() && !certificate_covers(credentials.certificate_pem, name)) {
      log.write(LogLevel::kWarn,
                "the certificate is not valid for a name of this relay: clients that dial that "
                "name will refuse it",
                {{"name", name},
                 {"certificate", config.tls_certificate_file},
                 {"valid_for", comma_list(facts.value().names)}});
    }
  }
}

Result<RelayUnits> make_units(PluginRegistry &plugins, Log &log, const RelayConfig &config) {
  RelayUnits units;
  Status status = take(
      load_credentials(config.tls_certificate_file, config.tls_key_file, SystemClock().wall_s()),
      units.credentials);
  if (!status.ok()) {
    return status;
  }
  warn_of_uncovered(log, config, units.credentials);
  if (config.protocols.empty()) {
    return Status::config(
        "the relay has no protocol: name at least one plugin of a relay protocol");
  }
  for (const std::string &id : config.protocols) {
    if (std::count(config.protocols.begin(), config.protocols.end(), id) > 1) {
      return Status::config("the protocol '" + id + "' is given twice; remove one of them");
    }
    status = take(plugins.make_unit(id, PluginKind::kRelay, {}), units.protocols.emplace_back());
    if (!status.ok()) {
      return status;
    }
  }
  status = take(plugins.make_unit(config.auth, PluginKind::kAuth, {}), units.auth);
  if (!status.ok()) {
    return status;
  }
  return units;
}

class RelayRole final : public RunningRole {
public:
  RelayRole(const RoleMaking &making, RelayUnits units, RelayOptions options)
      : threads_(making.threads), units_(std::move(units)), tickets_(making.random),
        relay_(std::move(options)) {}
  ~RelayRole() override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i] { parts_[i].reset(); });
    }
  }

  Status attach() {
    Status status;
    for (std::size_t i = 0; i < threads_.size() && status.ok(); ++i) {
      parts_.push_back(std::make_unique<Part>());
      threads_[i]->call([&] { status = attach(i); });
    }
    return status;
  }
  void start(Listening listening) {
    bound_ = listening.bound;
    file_ = std::move(listening.file);
    running_ = static_cast<unsigned>(parts_.size());
    for_each([&listening](RelayShard &shard) { shard.start(listening.socket); });
  }

  void drain() override {
    draining_ = true;
    file_.remove(); // a successor may have the path at once
    for_each([](RelayShard &shard) { shard.drain(); });
  }
  void drop() override {
    draining_ = true;
    file_.remove(); // a successor may have the path at once
    for_each([](RelayShard &shard) { shard.drop(); });
  }
  [[nodiscard]] HostPort bound() const override { return bound_; }
  [[nodiscard]] RoleStats stats() const override;

private:
  struct Part {
    RelayRole *owner = nullptr;
    std::optional<RelayShard> shard;
    void on_done() { owner->running_.fetch_sub(1, std::memory_order_acq_rel); }
  };

  /// On the shard.
  Status attach(std::size_t index) {
    Shard &shard = threads_[index]->shard();
    RelayParts parts;
    TlsServerOptions options;
    options.credentials = &units_.credentials;
    options.tickets = &tickets_;
    for (const auto &unit : units_.protocols) {
      std::unique_ptr<RelayProtocol> &protocol = parts.protocols.emplace_back();
      if (Status status = take(unit->relay_protocol(shard), protocol); !status.ok()) {
        return status;
      }
      const std::vector<std::string> &words = protocol->alpn();
      options.alpn.insert(options.alpn.end(), words.begin(), words.end());
    }
    Status status = take(units_.auth->auth(shard), parts.auth);
    if (status.ok()) {
      status = take(TlsContext::server(shard.io, options), parts.tls);
    }
    if (!status.ok()) {
      return status;
    }
    Part &part = *parts_[index];
    part.owner = this;
    part.shard.emplace(relay_, shard, std::move(parts), Delegate<>::to<&Part::on_done>(part));
    return {};
  }
  template <typename Visit> void for_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i, &visit] { visit(*parts_[i]->shard); });
    }
  }

  ShardThreads &threads_;
  RelayUnits units_;
  TlsTickets tickets_;
  mutable Relay relay_; // counters are read through it
  std::vector<std::unique_ptr<Part>> parts_;
  std::atomic<unsigned> running_ = 0;
  HostPort bound_;
  SocketFile file_;
  bool draining_ = false;
};

RoleStats RelayRole::stats() const {
  const RelayCounters &counters = relay_.counters();
  RoleStats stats = stats_of(counters.tunnels);
  stats.setups_failed = counters.setups_failed.load(std::memory_order_relaxed);
  stats.listeners = counters.listeners.load(std::memory_order_relaxed);
  stats.state = running_.load(std::memory_order_acquire) == 0
                    ? RoleStats::State::kStopped
                    : (draining_ ? RoleStats::State::kDraining : RoleStats::State::kOnline);
  return stats;
}

} // namespace

Result<std::unique_ptr<RunningRole>> make_relay_role(const RoleMaking &making,
                                                     const RelayConfig &config) {
  RelayOptions options;
  options.names = config.names;
  for (const EntityConfig &entity : config.entities) {
    options.entities.push_back({entity.path, to_rules(entity.rules, making.secrets)});
  }
  options.own_rules = to_rules(config.rules, making.secrets);
  options.public_host = config.public_host;
  options.public_port = config.public_port;
  options.shards = static_cast<unsigned>(making.threads.size());
  options.limits.drain_grace_ms = making.config.drain_grace_ms;
  if (Status status = Relay::check(options); !status.ok()) {
    return status;
  }
  Result<RelayUnits> units = make_units(making.plugins, making.log, config);
  if (!units.ok()) {
    return units.status();
  }
  auto role = std::make_unique<RelayRole>(making, std::move(units.value()), std::move(options));
  if (Status status = role->attach(); !status.ok()) {
    return status;
  }
  Result<Listening> listening = listen_on(making.threads, config.bind, "--bind");
  if (!listening.ok()) {
    return listening.status();
  }
  role->start(std::move(listening.value()));
  making.log.write(LogLevel::kInfo, "listening on " + role->bound().text(),
                   {{"role", "relay"},
                    {"names", comma_list(config.names)},
                    {"entities", std::to_string(config.entities.size())},
                    {"protocols", comma_list(config.protocols)}});
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
