// The engine: relays, listeners and senders in this process.
//
// An Engine belongs to the thread that made it (the control thread); all its functions are called
// there. It owns its shards, its plugins' units and, unless driven_by_host, a thread for each
// shard. Several engines may exist in one process. Plugins stay loaded after an engine is
// destroyed.
//
// Driven by a host: the one shard runs only inside run_ready() and the other functions here, on the
// control thread. Poll descriptor() for reading, at most until nearest_deadline_ms(), then call
// run_ready() until it returns false. Ask for the deadline before each poll: it is 0 when a
// function has started something.
#pragma once

#if __cplusplus < 202002L
#error "culvert needs C++20: compile with -std=c++20, or link the CMake target culvert::culvert"
#endif

#include "culvert/config.hpp"
#include "culvert/log.hpp"
#include "culvert/snapshot.hpp"
#include "culvert/status.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace culvert {

/// One running relay, listener or sender of an engine.
using RoleId = std::uint32_t;

class Engine {
public:
  /// The log must live longer than the engine.
  static Result<std::unique_ptr<Engine>> create(const EngineConfig &config, Log &log);
  virtual ~Engine() = default;

  /// Each checks everything first, then starts. Source::kConfig: the configuration is wrong, and
  /// the message says what to write. Source::kLocal: this machine lacks something. A listener or
  /// sender first asks its plugins for a token and for addresses. It does not start if an answer is
  /// Retry::kNever, or if a plugin breaks the interface. The call blocks until the answers are
  /// there, for each at most ClientLimits::handshake_ms; then it starts if the plugin still waits,
  /// for a DNS server for example.
  virtual Result<RoleId> start_relay(const RelayConfig &config) = 0;
  virtual Result<RoleId> start_listener(const ListenerConfig &config) = 0;
  virtual Result<RoleId> start_sender(const SenderConfig &config) = 0;

  /// What such a start would find wrong, without the start: it asks plugins and reads certificates,
  /// and binds no address.
  virtual Status check(const RelayConfig &config) = 0;
  virtual Status check(const ListenerConfig &config) = 0;
  virtual Status check(const SenderConfig &config) = 0;

  /// Changes the configuration for the role's next connections; connections that exist keep theirs.
  /// A relay can change everything except its address; of an entity that it has no more, control
  /// channels and waiting senders are ended, and tunnels go on. A listener can change its target,
  /// keys, auth and resolver plugins, trusted authorities, limits, `resolve` and
  /// `rendezvous_hosts`; a sender also its relay and entity, and not `prove_at_start`, which is of
  /// its start. After a failure nothing has changed; the message says what is wrong, or what needs
  /// a restart. It asks plugins as a start does. Secrets of the old configuration are wiped when no
  /// connection uses them any more.
  virtual Status update(RoleId role, const RelayConfig &config) = 0;
  virtual Status update(RoleId role, const ListenerConfig &config) = 0;
  virtual Status update(RoleId role, const SenderConfig &config) = 0;
  /// Drains one role, as drain() does with all; the others continue. It fails if the role has
  /// stopped or does not exist.
  virtual Status stop(RoleId role) = 0;

  /// The address a relay or sender is or was bound to, with its real port: that of `bind`, not of
  /// `also_bind`. Empty for another role.
  [[nodiscard]] virtual HostPort bound(RoleId role) const = 0;
  /// A role that has stopped keeps its last counts. A role that does not exist counts as stopped.
  [[nodiscard]] virtual RoleStats stats(RoleId role) const = 0;
  [[nodiscard]] virtual ShardStats shard_stats(unsigned shard) const = 0;
  /// All of it.
  [[nodiscard]] virtual Snapshot snapshot() const = 0;

  /// Stops accepting, lets tunnels end for limits.drain_grace_ms, then drops them. drop() ends
  /// everything at once; it may follow drain(). Both return immediately; stopped() says when
  /// nothing is left.
  virtual void drain() = 0;
  virtual void drop() = 0;
  [[nodiscard]] virtual bool stopped() const = 0;
  /// Blocks until the role is in that state or `timeout_ms` has passed; true if it is. Driven by a
  /// host, it runs the shard meanwhile.
  virtual bool wait_for(RoleId role, RoleStats::State state, std::uint64_t timeout_ms) = 0;
  /// Blocks until stopped() or the time has passed.
  virtual bool wait_stopped(std::uint64_t timeout_ms) = 0;

  // --- the admin endpoint (EngineConfig::admin) -------------------------------------------------
  /// True once after each POST /reload, with `reloads`: read the configuration again, and call
  /// answer_reload(). `sentences`: what has changed, or every mistake.
  virtual bool take_reload() = 0;
  virtual void answer_reload(bool reloaded, const std::vector<std::string> &sentences) = 0;
  /// Where it listens, with its real port; empty: there is no endpoint.
  [[nodiscard]] virtual HostPort admin_bound() const = 0;

  // --- driven by a host -------------------------------------------------------------------------
  [[nodiscard]] virtual int descriptor() = 0;
  [[nodiscard]] virtual std::uint64_t nearest_deadline_ms() const = 0; // from now; UINT64_MAX: none
  virtual bool run_ready() = 0;
};

/// Makes a certificate authority, whose key is not kept, and a server certificate for `names` (host
/// names or IP literals), both valid for `days`, in `folder`: ca.pem, relay.pem, relay.key.
Status make_throwaway_certificates(const std::string &folder, const std::vector<std::string> &names,
                                   unsigned days = 30);

/// Whether a relay can have these names (RelayConfig::names).
Status check_relay_names(const std::vector<std::string> &names);
/// Whether nobody can listen on both addresses at the same time.
bool listen_on_same(const HostPort &one, const HostPort &other);

struct IssuedToken {
  Secret text;
  std::int64_t expires_s = 0; // Unix seconds
};
/// The token that a sender or listener with this configuration would use, valid for `lifetime_s`
/// (0: the auth plugin's default).
Result<IssuedToken> issue_token(const EngineConfig &engine, const ClientConfig &client,
                                std::int64_t lifetime_s);
struct TokenQuestion {
  Secret token;
  std::string path; // what it is used for: an entity's path, or one below it
  std::vector<std::string> names;
  std::vector<RuleConfig> rules;
  Rights wanted; // all of these; none: any right is enough
  std::string auth = "auth_sas";
};
struct CheckedToken {
  Status verdict; // success, or the refusal of a relay with these names and rules
  // Of a token whose signature, time and place are right:
  std::string rule; // as the token names it; empty: the plugin does not say
  Rights rights;
  std::int64_t expires_s = 0; // Unix seconds
};
/// A failure means that the token could not be checked at all.
Result<CheckedToken> check_token(const EngineConfig &engine, const TokenQuestion &question);

/// The plugins in the engine's plugin directories; none of them is loaded.
Result<std::vector<std::string>> list_plugins(const EngineConfig &engine);
/// Whether the engine's settings of plugins are right (EngineConfig::plugin_settings). Loads these
/// plugins into this process.
Status check_plugin_settings(const EngineConfig &engine);
/// Describes a plugin. It is loaded in a child process: if it crashes or exits then, or takes
/// longer than 10 s, the failure names it. This forks, so the process must have only one thread.
Result<std::string> describe_plugin(const EngineConfig &engine, const std::string &id);

} // namespace culvert
