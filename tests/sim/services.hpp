// What an engine gives to its roles, in a simulated world: log, clock, random, secrets, and the
// real plugins, registered statically; and a shard with all it stands on.
//
// Used on the one thread of its world, which outlives it.
#pragma once

#include "names.hpp"

#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/secret.hpp"
#include "link/tls_context.hpp"
#include "plugin/plugin_set.hpp"
#include "role/outbound.hpp"
#include "support/sim/sim_clock.hpp"
#include "support/sim/sim_log.hpp"
#include "support/sim/sim_world.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert::simtest {

inline constexpr char kRelayName[] = "relay.example";
inline constexpr char kRelayHost[] = "10.0.0.1";
inline constexpr char kOtherRelayHost[] = "10.0.0.2"; // where it may move
inline constexpr std::uint16_t kRelayPort = 443;
inline constexpr char kEntity[] = "db/main";
inline constexpr char kProxyHost[] = "10.0.5.1";
inline constexpr std::uint16_t kProxyPort = 3'128;

/// One shard of a process on a host.
struct SimShard {
  SimShard(SimWorld &world, Log &log, const std::string &label, const std::string &host,
           unsigned index, std::size_t held_bytes)
      : io(world.make_io(label, host)), random(world.make_random()),
        shard(io, *random, log, index, ShardLimits{.held_bytes = held_bytes}) {}

  SimIo &io;
  std::unique_ptr<Random> random;
  Shard shard;
  Digests digests;
};

/// What a listener or sender is configured with, beside its role's options.
struct ClientSettings {
  std::string rule = {}; // whose key signs
  std::uint64_t key = 0;
  std::uint64_t second_key = 0; // used when the first is refused; 0: there is none
  std::string signature = {};   // a ready token, instead of rule and key
};

enum class ProxyMood : std::uint8_t { kServes, kRefuses, kSilent };

/// The units of every role, and the certificates of a world with TLS.
struct Services {
  Services(SimWorld &sim, bool with_tls, const std::string &protocol, std::size_t shard_held_bytes,
           std::int64_t life_s, LogLevel most = LogLevel::kInfo);

  std::unique_ptr<Unit> make(const std::string &id, PluginKind kind, ConfigValues values = {});
  /// Lives as long as this.
  Unit &make_auth(const ClientSettings &settings);
  std::uint64_t make_key();

  SimWorld &world;
  SimLog log;
  SimClock clock{world};
  std::unique_ptr<Random> random = world.make_random();
  SecretStore secrets;
  PluginSet plugins{HostServices{log, *random, clock, secrets}, {}};
  bool tls = false;
  std::size_t held_bytes = 0; // the budget of each shard
  std::int64_t token_life_s = 0;
  ThrowAway certificates[2]; // of the relay, one after the other; clients trust both
  std::vector<std::unique_ptr<Unit>> relay_protocols;
  std::unique_ptr<Unit> relay_auth;
  std::unique_ptr<Unit> transport;
  std::vector<std::unique_ptr<Unit>> auths; // of clients
  std::unique_ptr<Unit> resolver;
  // A test that puts something of its own between the roles and these plugins; empty: nothing.
  std::function<std::unique_ptr<Auth>(std::unique_ptr<Auth>, SimIo &)> wrap_auth;
  std::function<std::unique_ptr<Resolver>(std::unique_ptr<Resolver>, SimIo &)> wrap_resolver;
  std::uint64_t keys = 0;              // that were made
  std::string relay_host = kRelayHost; // where the relay is now
  Names names;
  ProxyMood proxy_mood = ProxyMood::kServes;
};

/// What one configuration of a listener or sender has on one shard. The transport is not in it: a
/// role keeps its first one.
struct ClientInstances {
  ClientInstances(Services &services, SimShard &shard, const ClientSettings &settings,
                  bool by_proxy = false);
  [[nodiscard]] ClientKit kit(SimShard &shard, Transport &through) {
    return {shard.shard,   through, *auth, *resolver, tls.get(),
            shard.digests, &limits, {},    {},        proxy ? &*proxy : nullptr};
  }

  ClientLimits limits;
  std::unique_ptr<Auth> auth;
  std::unique_ptr<Resolver> resolver;
  std::unique_ptr<TlsContext> tls;
  std::optional<Proxy> proxy;
};

} // namespace culvert::simtest
