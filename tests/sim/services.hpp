// What an engine gives to its roles, in a simulated world: log, clock, random, secrets, and the
// real plugins, registered statically; and a shard with all it stands on.
//
// Used on the one thread of its world, which outlives it.
#pragma once

#include "core/clock.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/secret.hpp"
#include "link/tls_context.hpp"
#include "plugin/plugin_set.hpp"
#include "role/outbound.hpp"
#include "support/sim/sim_log.hpp"
#include "support/sim/sim_world.hpp"

#include <memory>
#include <string>
#include <vector>

namespace culvert::simtest {

inline constexpr char kRelayName[] = "relay.example";
inline constexpr char kRelayHost[] = "10.0.0.1";
inline constexpr std::uint16_t kRelayPort = 443;
inline constexpr char kEntity[] = "db/main";

class WorldClock final : public Clock {
public:
  explicit WorldClock(const SimWorld &world) : world_(world) {}
  [[nodiscard]] std::uint64_t now_ns() const override { return world_.now_ns(); }
  [[nodiscard]] std::int64_t wall_s() const override { return world_.wall_s(); }

private:
  const SimWorld &world_;
};

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

/// The units of every role, and the certificates of a world with TLS.
struct Services {
  Services(SimWorld &sim, bool with_tls, const std::string &protocol, std::size_t shard_held_bytes,
           std::int64_t token_life_s);

  std::unique_ptr<Unit> make(const std::string &id, PluginKind kind, ConfigValues values = {});

  SimWorld &world;
  SimLog log{world, LogLevel::kInfo};
  WorldClock clock{world};
  std::unique_ptr<Random> random = world.make_random();
  SecretStore secrets;
  PluginSet plugins{HostServices{log, *random, clock, secrets}, {}};
  std::uint64_t key = 0; // of the rule "root"
  bool tls = false;
  std::size_t held_bytes = 0; // the budget of each shard
  ThrowAway certificates;
  std::vector<std::unique_ptr<Unit>> relay_protocols;
  std::unique_ptr<Unit> relay_auth;
  std::unique_ptr<Unit> transport;
  std::unique_ptr<Unit> auth;
  std::unique_ptr<Unit> resolver;
};

/// The instances of a listener or sender on one shard.
struct ClientInstances {
  ClientInstances(Services &services, SimShard &shard);
  [[nodiscard]] ClientKit kit(SimShard &shard, Transport &through) {
    return {shard.shard, through, *auth, *resolver, tls.get(), shard.digests};
  }
  [[nodiscard]] ClientKit kit(SimShard &shard) { return kit(shard, *transport); }

  std::unique_ptr<Transport> transport;
  std::unique_ptr<Auth> auth;
  std::unique_ptr<Resolver> resolver;
  std::unique_ptr<TlsContext> tls;
};

} // namespace culvert::simtest
