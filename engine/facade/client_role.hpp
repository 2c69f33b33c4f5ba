// What listener and sender share when they are made: the units of a client, and one part a shard.
//
// Control thread only, but for the members of ClientPart, which live on their shard.
#pragma once

#include "facade/running_role.hpp"
#include "link/tls_context.hpp"
#include "plugin/registry.hpp"
#include "role/counters.hpp"
#include "role/outbound.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert {

/// The three units that reach a relay, and what to trust there.
struct ClientUnits {
  std::unique_ptr<Unit> transport;
  std::unique_ptr<Unit> auth;
  std::unique_ptr<Unit> resolver;
  std::string authorities_pem; // empty: the system's

  static Result<ClientUnits> make(PluginRegistry &plugins, SecretStore &secrets,
                                  const ClientConfig &config, std::int64_t token_lifetime_s);
  /// Why what they say will never lead to this relay (kListen, kDial) or this target, asked before
  /// anything starts: no token, a name without an address. What may succeed later is no reason.
  Status check(Purpose purpose, const EntityAddress &entity, const std::string &target_host = {});
};

/// One shard's instances of them.
struct ClientPart {
  std::unique_ptr<Transport> transport;
  std::unique_ptr<Auth> auth;
  std::unique_ptr<Resolver> resolver;
  std::unique_ptr<TlsContext> tls;

  /// On the shard; the plugins' instances alone, or all of it.
  Status attach_plugins(ClientUnits &units, Shard &shard);
  Status attach(ClientUnits &units, Shard &shard);
  [[nodiscard]] ClientKit kit(ShardThread &thread) {
    return {thread.shard(), *transport, *auth, *resolver, tls.get(), thread.digests()};
  }
};

RoleStats stats_of(const TunnelCounts &counts);
RoleStats stats_of(const RoleCounters &counters);

/// The parts of a listener or sender, one a shard; destroyed on their shards.
template <typename Role> class ClientParts {
public:
  ClientParts(ShardThreads &threads, ClientUnits units)
      : threads_(threads), units_(std::move(units)) {}
  ClientParts(const ClientParts &) = delete;
  ClientParts &operator=(const ClientParts &) = delete;
  ~ClientParts() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i] { parts_[i].reset(); });
    }
  }

  /// Makes each part on its shard: make(std::optional<Role> &, const ClientKit &).
  template <typename Make> Status attach(Make make) {
    Status status;
    for (std::size_t i = 0; i < threads_.size() && status.ok(); ++i) {
      parts_.push_back(std::make_unique<Part>());
      threads_[i]->call([&, this] {
        status = parts_[i]->client.attach(units_, threads_[i]->shard());
        if (status.ok()) {
          make(parts_[i]->role, parts_[i]->client.kit(*threads_[i]));
        }
      });
    }
    return status;
  }
  template <typename Visit> void for_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i, &visit] { visit(*parts_[i]->role); });
    }
  }

private:
  struct Part {
    ClientPart client;
    std::optional<Role> role;
  };
  ShardThreads &threads_;
  ClientUnits units_;
  std::vector<std::unique_ptr<Part>> parts_;
};

} // namespace culvert
