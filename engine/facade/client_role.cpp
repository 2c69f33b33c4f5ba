#include "facade/client_role.hpp"

#include "crypto/certificate.hpp"
#include "crypto/secret.hpp"
#include "facade/take.hpp"

namespace culvert {

ConfigValues ClientUnits::values_of_auth(SecretStore &store, const ConnectionString &connection,
                                         std::int64_t token_lifetime_s) {
  ConfigValues values;
  if (connection.signature.empty()) {
    values["key_name"] = connection.key_name;
    auto lease = std::make_shared<SecretLease>(store);
    values["key"] = SecretReference{lease->add(connection.key.clone())};
    secrets = std::move(lease);
  } else {
    values["signature"] = std::string(connection.signature.reveal());
  }
  if (token_lifetime_s != 0) {
    values["token_lifetime_s"] = token_lifetime_s;
  }
  return values;
}

Result<ClientUnits> ClientUnits::make(PluginRegistry &plugins, SecretStore &secrets,
                                      const ClientConfig &config, std::int64_t token_lifetime_s) {
  ClientUnits units;
  units.limits = config.limits;
  units.rule = config.connection.key_name;
  if (Status status = check_limits(config.limits); !status.ok()) {
    return status;
  }
  if (!config.ca_file.empty()) {
    if (Status status = take(load_authorities(config.ca_file), units.authorities_pem);
        !status.ok()) {
      return status;
    }
  }
  ConfigValues auth_values = units.values_of_auth(secrets, config.connection, token_lifetime_s);
  ConfigValues resolver_values;
  if (!config.resolve.empty()) {
    resolver_values["resolve"] = config.resolve;
  }
  struct Wanted {
    std::unique_ptr<Unit> &unit;
    const std::string &id;
    PluginKind kind;
    ConfigValues values;
  };
  Wanted all[] = {
      {units.transport, config.transport, PluginKind::kTransport, {}},
      {units.auth, config.auth, PluginKind::kAuth, std::move(auth_values)},
      {units.resolver, config.resolver, PluginKind::kResolver, std::move(resolver_values)}};
  for (Wanted &wanted : all) {
    Status status =
        take(plugins.make_unit(wanted.id, wanted.kind, std::move(wanted.values)), wanted.unit);
    if (!status.ok()) {
      return status;
    }
  }
  return units;
}

Status ClientPart::attach_plugins(ClientUnits &units, Shard &shard) {
  limits = units.limits;
  rule = units.rule;
  secrets = units.secrets;
  Status status =
      transport == nullptr ? take(units.transport->transport(shard), transport) : Status{};
  if (status.ok()) {
    status = take(units.auth->auth(shard), auth);
  }
  return status.ok() ? take(units.resolver->resolver(shard), resolver) : status;
}

Status ClientPart::attach(ClientUnits &units, Shard &shard) {
  TlsClientOptions options;
  options.authorities_pem = units.authorities_pem;
  const Status status = attach_plugins(units, shard);
  return status.ok() ? take(TlsContext::client(shard.io, options), tls) : status;
}

RoleStats stats_of(const RoleCounters &counters) {
  RoleStats stats;
  stats.tunnels_ended = counters.tunnels_ended.load(std::memory_order_acquire); // before the rest
  stats.tunnels_open = counters.tunnels_open.load(std::memory_order_relaxed);
  stats.tunnels_aborted = counters.tunnels_aborted.load(std::memory_order_relaxed);
  stats.setups_failed = counters.setups_failed.load(std::memory_order_relaxed);
  stats.bytes_in = counters.bytes_in.load(std::memory_order_relaxed);
  stats.bytes_out = counters.bytes_out.load(std::memory_order_relaxed);
  stats.last_failure = counters.last_failure();
  return stats;
}

} // namespace culvert
