// The common code for making and changing a listener or sender: the units of a client, and one part
// for each shard.
//
// Control thread only, except for the members of ClientPart, which live on their shard.
#pragma once

#include "crypto/secret.hpp"
#include "facade/running_role.hpp"
#include "link/tls_context.hpp"
#include "plugin/plugin_set.hpp"
#include "role/counters.hpp"
#include "role/outbound.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace culvert {

/// The three units that reach a relay, and the authorities to trust.
struct ClientUnits {
  std::unique_ptr<Unit> transport;
  std::unique_ptr<Unit> auth;
  std::unique_ptr<Unit> resolver;
  std::shared_ptr<const SecretLease> secrets; // of auth; only its instances keep it
  std::string rule;                           // whose key signs
  std::string authorities_pem;                // empty: the system's
  std::shared_ptr<const Proxy> proxy;         // nullptr: none
  ClientLimits limits;

  static Result<ClientUnits> make(PluginSet &plugins, SecretStore &secrets,
                                  const ClientConfig &config, std::int64_t token_lifetime_s);
  /// Asks the plugins before anything starts. A failure means that this relay (kListen, kDial) or
  /// target can never be reached: no token, or a name without an address. A failure that may go
  /// away later is not reported.
  Status check(Purpose purpose, const EntityAddress &entity, const std::string &target_host = {});
  /// True if nothing uses auth and resolver any more. The transport does not count: a role keeps
  /// its first one.
  [[nodiscard]] bool idle() const { return auth->instances() == 0 && resolver->instances() == 0; }
};

/// One shard's instances of these units.
struct ClientPart {
  std::shared_ptr<const SecretLease> secrets;
  std::shared_ptr<Transport> transport;
  std::unique_ptr<Auth> auth;
  std::unique_ptr<Resolver> resolver;
  std::shared_ptr<TlsContext> tls;
  std::shared_ptr<const Proxy> proxy;
  ClientLimits limits;
  std::string rule;

  /// Both are called on the shard: attach_plugins() makes only the plugins' instances, attach()
  /// everything. An existing transport is kept.
  Status attach_plugins(ClientUnits &units, Shard &shard);
  Status attach(ClientUnits &units, Shard &shard);
  static ClientKit kit(const std::shared_ptr<ClientPart> &part, ShardThread &thread, Log &log) {
    return {thread.shard(),  *part->transport,  *part->auth,   *part->resolver,
            part->tls.get(), thread.digests(),  &part->limits, part,
            part->rule,      part->proxy.get(), &log};
  }
};

RoleStats stats_of(const TunnelCounts &counts, const EndNames &ends);
RoleStats stats_of(const RoleCounters &counters, const EndNames &ends);

/// The parts of a listener or sender, one for each shard; destroyed on their shards.
template <typename Role> class ClientParts {
public:
  /// `log` is that of the role and lives longer.
  ClientParts(ShardThreads &threads, Log &log) : threads_(threads), log_(log) {}
  ClientParts(const ClientParts &) = delete;
  ClientParts &operator=(const ClientParts &) = delete;
  ~ClientParts() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i] { parts_[i].reset(); });
    }
  }

  /// Makes the instances on every shard. Only when all exist, calls use(std::optional<Role> &,
  /// const ClientKit &) on each shard. After a failure nothing has changed.
  template <typename Use> Status serve(ClientUnits units, Use use) {
    Status status;
    std::vector<std::shared_ptr<ClientPart>> made(threads_.size());
    parts_.resize(threads_.size());
    for (std::size_t i = 0; i < threads_.size() && status.ok(); ++i) {
      threads_[i]->call([&] {
        made[i] = std::make_shared<ClientPart>();
        made[i]->transport = parts_[i] == nullptr ? nullptr : parts_[i]->client->transport;
        status = made[i]->attach(units, threads_[i]->shard());
      });
    }
    const bool all_made = status.ok();
    units.secrets.reset();
    if (all_made && transport_ == nullptr) {
      transport_ = std::move(units.transport);
    }
    units_.push_back(std::move(units));
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i]->call([&] {
        std::shared_ptr<ClientPart> mine = std::move(made[i]); // destroyed here unless handed over
        if (all_made) {
          hand_over(i, std::move(mine), use);
        }
      });
    }
    if (!all_made) {
      units_.pop_back();
    }
    return status;
  }
  template <typename Visit> void for_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->call([this, i, &visit] { visit(*parts_[i]->role); });
    }
  }
  /// As for_each(), but does not wait.
  template <typename Visit> void order_each(Visit visit) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads_[i]->order([this, i, visit] { visit(*parts_[i]->role); });
    }
  }
  /// As RunningRole::tidy().
  bool tidy() {
    std::erase_if(units_, [this](const ClientUnits &units) {
      return &units != &units_.back() && units.idle();
    });
    return units_.size() == 1;
  }

private:
  struct Part {
    std::shared_ptr<ClientPart> client; // what the role uses for new connections
    std::optional<Role> role;
  };
  template <typename Use>
  void hand_over(std::size_t index, const std::shared_ptr<ClientPart> &client, Use &use) {
    if (parts_[index] == nullptr) {
      parts_[index] = std::make_unique<Part>();
    }
    Part &part = *parts_[index];
    use(part.role, ClientPart::kit(client, *threads_[index], log_));
    part.client = client;
  }

  ShardThreads &threads_;
  Log &log_;
  std::unique_ptr<Unit> transport_; // that of the first units
  std::vector<ClientUnits> units_;  // the latest, and older ones that are still in use
  std::vector<std::unique_ptr<Part>> parts_;
};

} // namespace culvert
