// What an embedder, or the command line, asks the engine to run. Plain values: nothing here is
// bound to a thread, and nothing is opened before the engine is given them.
#pragma once

#include "culvert/limits.hpp"
#include "culvert/secret.hpp"
#include "culvert/status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace culvert {

/// The connection string that Azure's portal shows for an entity, with a port allowed.
struct ConnectionString {
  std::string host; // lower case, without brackets
  std::uint16_t port = 443;
  std::string entity_path;
  std::string key_name;
  Secret key;
  Secret signature; // a ready token instead of a key

  /// Status of Source::kConfig: what is wrong with the text, never the text itself.
  static Result<ConnectionString> parse(std::string_view text);
  /// Where offers of this host may point besides the host itself: *.SUFFIX of a known Azure cloud,
  /// whose gateways stand beside the namespaces; empty for any other host.
  [[nodiscard]] std::vector<std::string> gateways() const;
};

/// "10.0.0.1:80", "[::1]:80", "name:80" or "unix:/path".
struct HostPort {
  std::string host; // without brackets; empty with a unix path
  std::uint16_t port = 0;
  std::string unix_path;

  /// `what` names the setting in the error.
  static Result<HostPort> parse(std::string_view text, std::string_view what);
  [[nodiscard]] std::string text() const;
};

/// Rights of a rule; Manage implies the others.
struct Rights {
  bool listen = false;
  bool send = false;
  bool manage = false;
};

struct RuleConfig {
  std::string name; // compared ignoring case
  Rights rights;
  Secret primary;
  Secret secondary; // may be empty
};

struct EntityConfig {
  std::string path; // compared ignoring case
  std::vector<RuleConfig> rules;
};

struct RelayConfig {
  HostPort bind; // [::] serves both families
  std::vector<HostPort> also_bind;
  unsigned bind_mode = 0;           // of a unix socket, as chmod(2) takes it; 0: by the umask
  std::string tls_certificate_file; // PEM, leaf first
  std::string tls_key_file;         // PEM
  std::vector<std::string> names; // host names or IP literals this relay is known by; at least one
  std::vector<EntityConfig> entities;
  std::vector<RuleConfig> rules;      // of the relay: hold for every entity
  std::vector<std::string> protocols; // plugin ids; the first serves connections without ALPN
  std::string auth = "auth_sas";
  std::string public_host; // of the address in an offer; empty: as the listener dialled
  std::uint16_t public_port = 0;
  RelayLimits limits;
};

/// What a listener and a sender have in common.
struct ClientConfig {
  ConnectionString connection;
  std::string ca_file; // PEM; empty: the system's
  std::string transport = "transport_azure";
  std::string auth = "auth_sas";
  std::string resolver = "resolver_static";
  std::vector<std::string> resolve; // NAME=ADDR[,ADDR]
  ClientLimits limits;
};

struct ListenerConfig : ClientConfig {
  HostPort target;
  /// HOST or *.SUFFIX an offer may send us to besides the relay and its gateways().
  std::vector<std::string> rendezvous_hosts;
};

struct SenderConfig : ClientConfig {
  HostPort bind; // [::] serves both families
  std::vector<HostPort> also_bind;
  unsigned bind_mode = 0; // as RelayConfig's
  /// At its start the sender asks its relay whether it takes the token, again and again until it
  /// does, and writes a line on each answer. Apps are served meanwhile as well as can be.
  bool prove_at_start = false;
};

/// A value of one setting that a plugin declares: as text, whatever its type ("12", "true",
/// "one,two"); a list item by item; or a secret.
using PluginSetting =
    std::variant<std::string, std::vector<std::string>, std::shared_ptr<const Secret>>;
/// By the plugin's id, then by the setting's name.
using PluginSettings = std::map<std::string, std::map<std::string, PluginSetting>>;

struct EngineConfig {
  unsigned shards = 1;
  /// Where <id>.so is looked for, in this order; the running program's own directory comes last.
  /// The first directory that has the file wins.
  std::vector<std::string> plugin_directories;
  /// Engine::create() refuses a plugin that is not there, a setting that it does not declare and a
  /// value of another type; starting a role, a setting that the role sets itself.
  PluginSettings plugin_settings;
  /// Turns the text of a secret setting ("env:NAME") into the secret; `setting` ("auth_x.key") is
  /// for its error. Without it a secret setting must be given as a Secret.
  std::function<Result<Secret>(const std::string &text, const std::string &setting)> read_secret;
  /// True: the host drives the one shard with Engine::run_ready(), on the thread that made the
  /// engine.
  bool driven_by_host = false;
  ShardLimits limits;
};

} // namespace culvert
