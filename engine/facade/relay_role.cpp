#include "core/clock.hpp"
#include "core/limits.hpp"
#include "crypto/certificate.hpp"
#include "facade/client_role.hpp"
#include "facade/relay_check.hpp"
#include "facade/rules.hpp"
#include "facade/take.hpp"
#include "role/relay/relay_shard.hpp"
#include "role/role_log.hpp"

#include <algorithm>
#include <optional>

namespace culvert {
namespace {

/// What the instances of a policy are made of, on the control thread.
struct RelayUnits {
  std::vector<std::unique_ptr<Unit>> protocols;
  std::unique_ptr<Unit> auth;

  /// Nothing runs with it any more.
  [[nodiscard]] bool idle() const {
    return auth->instances() == 0 &&
           std::all_of(protocols.begin(), protocols.end(),
                       [](const auto &unit) { return unit->instances() == 0; });
  }
};

/// A configuration that was found to work. Its tickets are its own, so that a client verifies the
/// certificate of the next one.
struct RelaySetUp {
  explicit RelaySetUp(Random &random) : tickets(random) {}
  std::shared_ptr<const RelayPolicy> policy;
  Credentials credentials;
  std::int64_t certificate_expires_s = 0;
  TlsTickets tickets;
  std::unique_ptr<RelayUnits> units = std::make_unique<RelayUnits>();
};

std::string comma_list(const std::vector<std::string> &items) {
  std::string text;
  for (const std::string &item : items) {
    text += (text.empty() ? "" : ",") + item;
  }
  return text;
}

/// The warnings of one set-up.
class Warnings {
public:
  enum class Purpose : std::uint8_t { kCheck, kServe };
  Warnings(const RoleMaking &making, const RelayConfig &config, Purpose purpose)
      : log_(making.log), purpose_(purpose), checked_(making.checked[config.name]),
        before_(std::exchange(checked_, {})) {}

  void add(const std::string &sentence, std::initializer_list<LogField> fields) {
    std::string line = sentence;
    for (const LogField &field : fields) {
      line += " " + field.value;
    }
    if (purpose_ == Purpose::kCheck ||
        std::find(before_.begin(), before_.end(), line) == before_.end()) {
      log_.write(LogLevel::kWarn, sentence, fields);
    }
    if (purpose_ == Purpose::kCheck) {
      checked_.push_back(std::move(line));
    }
  }

private:
  Log &log_;
  const Purpose purpose_;
  std::vector<std::string> &checked_;
  const std::vector<std::string> before_;
};

/// Only a warning: a proxy in front of the relay may have the certificate for a name.
void warn_of_uncovered(Warnings &warnings, const RelayConfig &config,
                       const Credentials &credentials, const CertificateFacts &facts) {
  std::vector<std::string> names = config.names;
  if (!config.public_host.empty() &&
      std::find(names.begin(), names.end(), config.public_host) == names.end()) {
    names.push_back(config.public_host);
  }
  for (const std::string &name : names) {
    if (!certificate_covers(credentials.certificate_pem, name)) {
      warnings.add("the certificate is not valid for a name of this relay: clients that dial that "
                   "name will refuse it",
                   {{"name", name},
                    {"certificate", config.tls_certificate_file},
                    {"valid_for", facts.names.empty() ? "no name: it has no subjectAltName"
                                                      : comma_list(facts.names)}});
    }
  }
}

void warn_of_short_keys(Warnings &warnings, const std::string &entity,
                        const std::vector<RuleConfig> &rules) {
  for (const RuleConfig &rule : rules) {
    for (const Secret *key : {&rule.primary, &rule.secondary}) {
      if (!key->empty() && key->bytes().size() < kShortRuleKeyBytes) {
        warnings.add(
            "a rule's key is so short that it can be guessed: give the rule a random one of "
            "at least " +
                std::to_string(kShortRuleKeyBytes) + " bytes",
            {{"rule", loggable(rule.name)},
             {"entity", entity.empty() ? "all" : loggable(entity)},
             {"key", key == &rule.primary ? "primary" : "secondary"}});
      }
    }
  }
}

/// Its end, and what an operator should know of it.
Status read_facts(Warnings &warnings, const RelayConfig &config, RelaySetUp &made) {
  const Result<CertificateFacts> facts = inspect_certificate(made.credentials.certificate_pem);
  if (!facts.ok()) {
    return facts.status();
  }
  made.certificate_expires_s = facts.value().not_after_s;
  warn_of_uncovered(warnings, config, made.credentials, facts.value());
  const std::string warning =
      certificate_warning(facts.value(), config.tls_certificate_file, SystemClock().wall_s());
  if (!warning.empty()) {
    warnings.add(warning, {});
  }
  return {};
}

Status make_units(PluginSet &plugins, const RelayConfig &config, RelayUnits &units) {
  if (Status status = check_protocols(config.protocols); !status.ok()) {
    return status;
  }
  for (const std::string &id : config.protocols) {
    Status status =
        take(plugins.make_unit(id, PluginKind::kRelay, {}), units.protocols.emplace_back());
    if (!status.ok()) {
      return status;
    }
  }
  return take(plugins.make_unit(config.auth, PluginKind::kAuth, {}), units.auth);
}

Result<std::shared_ptr<const RelayPolicy>> make_policy(SecretStore &secrets,
                                                       const RelayConfig &config) {
  auto lease = std::make_shared<SecretLease>(secrets);
  RelayOptions options;
  options.names = config.names;
  for (const EntityConfig &entity : config.entities) {
    options.entities.push_back({entity.path, to_rules(entity.rules, *lease),
                                entity.requires_client_authorization, entity.listeners});
  }
  options.own_rules = to_rules(config.rules, *lease);
  options.secrets = std::move(lease);
  options.public_host = config.public_host;
  options.public_port = config.public_port;
  options.limits = config.limits;
  if (Status status = RelayPolicy::check(options); !status.ok()) {
    return status;
  }
  return std::make_shared<const RelayPolicy>(std::move(options));
}

Result<RelaySetUp> set_up(const RoleMaking &making, const RelayConfig &config,
                          Warnings::Purpose purpose) {
  RelaySetUp made(making.random);
  Status status = take(make_policy(making.secrets, config), made.policy);
  if (status.ok()) {
    status = take(
        load_credentials(config.tls_certificate_file, config.tls_key_file, SystemClock().wall_s()),
        made.credentials);
  }
  if (status.ok()) {
    Warnings warnings(making, config, purpose);
    status = read_facts(warnings, config, made);
    warn_of_short_keys(warnings, "", config.rules);
    for (const EntityConfig &entity : config.entities) {
      warn_of_short_keys(warnings, entity.path, entity.rules);
    }
  }
  if (status.ok()) {
    status = make_units(making.plugins, config, *made.units);
  }
  if (status.ok()) {
    status = check_relay_plugins(made.units->protocols, *made.units->auth, *made.policy,
                                 config.entities.empty() ? "" : config.entities.front().path);
  }
  if (!status.ok()) {
    return status;
  }
  return made;
}

class RelayRole final : public RunningRole {
public:
  RelayRole(const RoleMaking &making, const RelayConfig &config)
      : threads_(making.threads), log_(making.log, "relay", config.name),
        relay_(static_cast<unsigned>(making.threads.size())) {}
  ~RelayRole() override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i] { parts_[i].reset(); });
    }
  }

  Status attach(RelaySetUp made) {
    return serve(std::move(made), [this](std::size_t i, RelayParts parts) {
      Part &part = *parts_.emplace_back(std::make_unique<Part>());
      part.owner = this;
      part.shard.emplace(relay_, threads_[i]->shard(), std::move(parts),
                         Delegate<>::to<&Part::on_done>(part));
    });
  }
  void start(Listening listening) {
    listening_ = std::move(listening);
    running_ = static_cast<unsigned>(parts_.size());
    for_each([this](RelayShard &shard) { shard.start(listening_.sockets); });
  }
  [[nodiscard]] const Listening &listening() const { return listening_; }

  Status update_relay(const RoleMaking &making, const RelayConfig &config) override {
    Status kept = listening_.check(config);
    if (!kept.ok()) {
      return kept;
    }
    Result<RelaySetUp> made = set_up(making, config, Warnings::Purpose::kServe);
    if (!made.ok()) {
      return made.status();
    }
    return serve(std::move(made.value()), [this](std::size_t i, RelayParts parts) {
      parts_[i]->shard->use(std::move(parts));
    });
  }
  bool tidy() override {
    std::erase_if(units_,
                  [this](const auto &units) { return units != units_.back() && units->idle(); });
    return units_.size() == 1;
  }

  void drain() override {
    begin_draining();
    listening_.remove_files(); // a successor may have the path at once
    order_each([](RelayShard &shard) { shard.drain(); });
  }
  void drop() override {
    begin_draining();
    listening_.remove_files(); // a successor may have the path at once
    order_each([](RelayShard &shard) { shard.drop(); });
  }
  [[nodiscard]] HostPort bound() const override { return listening_.bound.front(); }
  [[nodiscard]] RoleStats stats() const override;
  void count_entities(std::vector<EntityStats> &entities) const override {
    relay_.registry().count(entities);
  }

private:
  struct Part {
    RelayRole *owner = nullptr;
    std::optional<RelayShard> shard;
    void on_done() { owner->running_.fetch_sub(1, std::memory_order_acq_rel); }
  };

  /// Makes the parts of every shard, on each, and only then hands them over, on each:
  /// use(index, parts). A failure leaves everything as it was.
  template <typename Use> Status serve(RelaySetUp made, Use use) {
    Status status;
    std::vector<RelayParts> parts(threads_.size());
    for (std::size_t i = 0; i < threads_.size() && status.ok(); ++i) {
      threads_[i]->call([&] { status = make_parts(made, threads_[i]->shard(), parts[i]); });
    }
    const bool all_made = status.ok();
    if (all_made) {
      certificate_expires_s_.store(made.certificate_expires_s, std::memory_order_relaxed);
      units_.push_back(std::move(made.units));
    }
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i]->call([&] {
        RelayParts mine = std::exchange(parts[i], {}); // they die here if nobody takes them
        if (all_made) {
          use(i, std::move(mine));
        }
      });
    }
    return status;
  }
  /// On the shard.
  Status make_parts(const RelaySetUp &made, Shard &shard, RelayParts &parts) {
    TlsServerOptions options;
    options.credentials = &made.credentials;
    options.tickets = &made.tickets;
    parts.policy = made.policy;
    parts.named_log = &log_;
    for (const auto &unit : made.units->protocols) {
      NamedProtocol &protocol = parts.protocols.emplace_back();
      protocol.id = unit->id();
      if (Status status = take(unit->relay_protocol(shard), protocol.instance); !status.ok()) {
        return status;
      }
      const std::vector<std::string> &words = protocol.instance->alpn();
      options.alpn.insert(options.alpn.end(), words.begin(), words.end());
    }
    Status status = take(made.units->auth->auth(shard), parts.auth);
    return status.ok() ? take(TlsContext::server(shard.io, options), parts.tls) : status;
  }
  template <typename Visit> void for_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i, &visit] { visit(*parts_[i]->shard); });
    }
  }
  /// As for_each(), but does not wait.
  template <typename Visit> void order_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->order([this, i, visit] { visit(*parts_[i]->shard); });
    }
  }

  ShardThreads &threads_;
  RoleLog log_;
  std::vector<std::unique_ptr<RelayUnits>> units_; // the latest, and those that something runs with
  mutable Relay relay_;                            // counters are read through it
  std::vector<std::unique_ptr<Part>> parts_;
  std::atomic<unsigned> running_ = 0;
  std::atomic<std::int64_t> certificate_expires_s_ = 0;
  Listening listening_;
};

RoleStats RelayRole::stats() const {
  const RelayCounters &counters = relay_.counters();
  RoleStats stats = stats_of(counters.tunnels, kRelayEnds);
  stats.setups_failed = counters.setups_failed.load(std::memory_order_relaxed);
  stats.failures = counters.failures.all();
  stats.pending = counters.pending.load(std::memory_order_relaxed);
  stats.listeners = counters.listeners.load(std::memory_order_relaxed);
  stats.certificate_expires_s = certificate_expires_s_.load(std::memory_order_relaxed);
  const bool stopped = running_.load(std::memory_order_acquire) == 0;
  put_state(stats, stopped      ? RoleStats::State::kStopped
                   : draining() ? RoleStats::State::kDraining
                                : RoleStats::State::kOnline);
  return stats;
}

} // namespace

Status check_protocols(const std::vector<std::string> &protocols) {
  if (protocols.empty()) {
    return Status::config(
        "the relay has no protocol: name at least one plugin of a relay protocol");
  }
  for (const std::string &id : protocols) {
    if (std::count(protocols.begin(), protocols.end(), id) > 1) {
      return Status::config("the protocol '" + id + "' is given twice; remove one of them");
    }
  }
  return {};
}

Status check_relay_role(const RoleMaking &making, const RelayConfig &config) {
  Status status = check_addresses(config);
  return status.ok() ? set_up(making, config, Warnings::Purpose::kCheck).status_or_ok() : status;
}

Result<std::unique_ptr<RunningRole>> make_relay_role(const RoleMaking &making,
                                                     const RelayConfig &config) {
  Result<RelaySetUp> made = set_up(making, config, Warnings::Purpose::kServe);
  if (!made.ok()) {
    return made.status();
  }
  auto role = std::make_unique<RelayRole>(making, config);
  if (Status status = role->attach(std::move(made.value())); !status.ok()) {
    return status;
  }
  Result<Listening> listening = listen_on(making.threads, config);
  if (!listening.ok()) {
    return listening.status();
  }
  role->start(std::move(listening.value()));
  role->listening().log(making.log, {{"role", "relay"},
                                     {"names", comma_list(config.names)},
                                     {"entities", std::to_string(config.entities.size())},
                                     {"protocols", comma_list(config.protocols)}});
  return std::unique_ptr<RunningRole>(std::move(role));
}

} // namespace culvert
