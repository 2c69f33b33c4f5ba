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
                   std::size_t shard_held_bytes, std::int64_t token_life_s)
    : world(sim), tls(with_tls), held_bytes(shard_held_bytes) {
  for (const culvert_plugin *plugin :
       {&culvert_plugin_v1_transport_azure, &culvert_plugin_v1_example_relay,
        &culvert_plugin_v1_auth_sas, &culvert_plugin_v1_resolver_static}) {
    CULVERT_ASSERT(plugins.register_static(*plugin).ok());
  }
  key = secrets.add(Secret(std::string_view("a key of this world")));
  // Without TLS no ALPN word picks the protocol: the first one serves every connection.
  relay_protocols.push_back(make(protocol, PluginKind::kRelay));
  relay_protocols.push_back(make(protocol == kAzure ? kExample : kAzure, PluginKind::kRelay));
  relay_auth = make("auth_sas", PluginKind::kAuth);
  transport = make(protocol, PluginKind::kTransport);
  auth = make("auth_sas", PluginKind::kAuth,
              {{"key_name", std::string("root")},
               {"key", SecretReference{key}},
               {"token_lifetime_s", token_life_s}});
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
    certificates = std::move(make_throw_away(options).value());
  }
}

std::unique_ptr<Unit> Services::make(const std::string &id, PluginKind kind, ConfigValues values) {
  return std::move(plugins.make_unit(id, kind, std::move(values)).value());
}

ClientInstances::ClientInstances(Services &services, SimShard &shard)
    : transport(std::move(services.transport->transport(shard.shard).value())),
      auth(std::move(services.auth->auth(shard.shard).value())),
      resolver(std::move(services.resolver->resolver(shard.shard).value())) {
  if (services.tls) {
    TlsClientOptions options;
    options.authorities_pem = services.certificates.authority_pem;
    options.resume = false; // libssl stamps sessions with the machine's clock
    tls = std::move(TlsContext::client(shard.io, options).value());
  }
}

} // namespace culvert::simtest
