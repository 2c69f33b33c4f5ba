#include "services.hpp"

extern "C" {
extern const culvert_plugin culvert_plugin_v1_transport_azure;
extern const culvert_plugin culvert_plugin_v1_example_relay;
extern const culvert_plugin culvert_plugin_v1_auth_sas;
extern const culvert_plugin culvert_plugin_v1_resolver_static;
}

namespace culvert::simtest {

namespace {

constexpr char kAzure[] = "transport_azure";
constexpr char kExample[] = "example_relay";

} // namespace

Services::Services(SimWorld &sim, bool with_tls, const std::string &protocol,
                   std::size_t shard_held_bytes, std::int64_t life_s, LogLevel most)
    : world(sim), log(sim, most), tls(with_tls), held_bytes(shard_held_bytes),
      token_life_s(life_s) {
  for (const culvert_plugin *plugin :
       {&culvert_plugin_v1_transport_azure, &culvert_plugin_v1_example_relay,
        &culvert_plugin_v1_auth_sas, &culvert_plugin_v1_resolver_static}) {
    CULVERT_ASSERT(plugins.register_static(*plugin).ok());
  }
  // Without TLS no ALPN word picks the protocol: the first one serves every connection.
  relay_protocols.push_back(make(protocol, PluginKind::kRelay));
  relay_protocols.push_back(make(protocol == kAzure ? kExample : kAzure, PluginKind::kRelay));
  relay_auth = make("auth_sas", PluginKind::kAuth);
  transport = make(protocol, PluginKind::kTransport);
  resolver =
      make("resolver_static", PluginKind::kResolver,
           {{"resolve", std::vector<std::string>{std::string(kRelayName) + "=" + kRelayHost}},
            {"hosts_file", std::string("/dev/null")}});
  if (tls) {
    constexpr std::int64_t kYearSec = 365LL * 24 * 3600;
    ThrowAwayOptions options{{kRelayName},
                             KeyKind::kEd25519,
                             SimWorld::kFirstWallSec - kYearSec,
                             SimWorld::kFirstWallSec + kYearSec,
                             random.get()};
    for (ThrowAway &each : certificates) {
      each = std::move(make_throw_away(options).value());
    }
  }
}

std::unique_ptr<Unit> Services::make(const std::string &id, PluginKind kind, ConfigValues values) {
  return std::move(plugins.make_unit(id, kind, std::move(values)).value());
}

Unit &Services::make_auth(const ClientSettings &settings) {
  ConfigValues values = {{"token_lifetime_s", token_life_s}};
  if (!settings.signature.empty()) {
    values["signature"] = settings.signature;
  } else {
    values["key_name"] = settings.rule;
    values["key"] = SecretReference{settings.key};
  }
  if (settings.second_key != 0) {
    values["second_key"] = SecretReference{settings.second_key};
  }
  return *auths.emplace_back(make("auth_sas", PluginKind::kAuth, std::move(values)));
}

std::uint64_t Services::make_key() {
  return secrets.add(Secret("key " + std::to_string(++keys) + " of this world"));
}

ClientInstances::ClientInstances(Services &services, SimShard &shard,
                                 const ClientSettings &settings, bool by_proxy)
    : auth(std::move(services.make_auth(settings).auth(shard.shard).value())),
      resolver(std::make_unique<WorldResolver>(
          shard.io, services.names, std::move(services.resolver->resolver(shard.shard).value()))) {
  if (services.wrap_auth) {
    auth = services.wrap_auth(std::move(auth), shard.io);
  }
  if (services.wrap_resolver) {
    resolver = services.wrap_resolver(std::move(resolver), shard.io);
  }
  if (by_proxy) {
    ProxyConfig config;
    config.address = {kProxyHost, kProxyPort, {}};
    proxy.emplace(config);
  }
  if (services.tls) {
    TlsClientOptions options;
    options.authorities_pem =
        services.certificates[0].authority_pem + services.certificates[1].authority_pem;
    options.resume = false; // libssl stamps sessions with the machine's clock
    tls = std::move(TlsContext::client(shard.io, options).value());
  }
}

} // namespace culvert::simtest
