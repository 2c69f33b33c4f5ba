#include "facade/client_role.hpp"

#include "crypto/certificate.hpp"
#include "crypto/secret.hpp"
#include "facade/take.hpp"

namespace culvert {
namespace {

ConfigValues auth_settings(const ClientConfig &config, SecretLease &lease) {
  const ConnectionString &connection = config.connection;
  ConfigValues values;
  if (connection.signature.empty()) {
    values["key_name"] = connection.key_name;
    values["key"] = SecretReference{lease.add(connection.key.clone())};
  } else {
    values["signature"] = std::string(connection.signature.reveal());
  }
  if (!config.second_key.empty()) {
    values["second_key"] = SecretReference{lease.add(config.second_key.clone())};
  }
  return values;
}

} // namespace

Result<ClientUnits> ClientUnits::make(PluginSet &plugins, SecretStore &secrets,
                                      const ClientConfig &config, std::int64_t token_lifetime_s) {
  ClientUnits units;
  units.limits = config.limits;
  units.rule = config.connection.key_name;
  if (Status status = check_limits(config.limits); !status.ok()) {
    return status;
  }
  if (!config.ca_file.empty()) {
    const Status status = take(load_authorities(config.ca_file), units.authorities_pem);
    if (!status.ok()) {
      return status;
    }
  }
  if (!config.proxy.address.host.empty()) {
    units.proxy = std::make_shared<const Proxy>(config.proxy);
  }
  auto lease = std::make_shared<SecretLease>(secrets);
  ConfigValues auth_values = auth_settings(config, *lease);
  units.secrets = std::move(lease);
  if (token_lifetime_s != 0) {
    auth_values["token_lifetime_s"] = token_lifetime_s;
  }
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
  proxy = units.proxy;
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

RoleStats stats_of(const TunnelCounts &counts, const EndNames &ends) {
  using How = EndingRecord::How;
  using Whom = TunnelCounts::Whom;
  RoleStats stats;
  stats.tunnels_ended = counts.ended(); // before the rest: all of an ended tunnel is in it
  stats.tunnels_open = counts.open();
  stats.tunnels_aborted = counts.aborted();
  stats.tunnels_dropped = counts.dropped();
  for (const How how : {How::kFinished, How::kAborted, How::kDropped}) {
    stats.endings[std::string(word(how))] = {{ends.first, counts.endings(how, Whom::kFirst)},
                                             {ends.second, counts.endings(how, Whom::kSecond)},
                                             {kByHost, counts.endings(how, Whom::kHost)}};
  }
  stats.tunnels_moved = counts.moved();
  stats.bytes_in = counts.bytes_in();
  stats.bytes_out = counts.bytes_out();
  stats.turns = counts.turns();
  stats.setup_times = counts.setup_times().read();
  return stats;
}

RoleStats stats_of(const RoleCounters &counters, const EndNames &ends) {
  RoleStats stats = stats_of(counters.tunnels, ends);
  stats.setups_failed = counters.setups_failed.load(std::memory_order_relaxed);
  stats.failures = counters.failures.all();
  stats.channels_registered = counters.channels_registered.load(std::memory_order_relaxed);
  stats.channels_lost = counters.channels_lost.load(std::memory_order_relaxed);
  stats.token_expires_s = counters.token_expires_s.load(std::memory_order_relaxed);
  stats.last_failure = counters.last_failure();
  return stats;
}

} // namespace culvert
