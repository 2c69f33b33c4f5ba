// The configuration of the engine and its roles. Plain values, not bound to a thread; nothing is
// opened before they are passed to the engine.
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

/// The connection string that Azure's portal shows for an entity. Its Endpoint may also have a
/// port.
struct ConnectionString {
  std::string host; // lower case, without brackets
  std::uint16_t port = 443;
  std::string entity_path;
  std::string key_name;
  Secret key;
  Secret signature; // a ready token instead of a key

  /// A failure has Source::kConfig and says what is wrong with the text, never the text itself.
  static Result<ConnectionString> parse(std::string_view text);
  /// Hosts that an offer of this relay may name, in addition to the relay itself. For a namespace
  /// of a known Azure cloud this is *.SUFFIX, because Azure's offers name a gateway and not the
  /// namespace. Empty for any other host.
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

/// Which of an entity's listeners gets a sender.
enum class ListenerChoice : std::uint8_t { kRandom, kLeastTunnels };

struct EntityConfig {
  std::string path; // compared ignoring case
  std::vector<RuleConfig> rules;
  /// False: everybody who reaches the relay may send to this entity, without a token. Listeners
  /// always need one.
  bool requires_client_authorization = true;
  ListenerChoice listeners = ListenerChoice::kRandom;
};

/// Where a relay or sender listens.
struct BindConfig {
  HostPort bind; // [::] serves both families
  std::vector<HostPort> also_bind;
  unsigned bind_mode = 0; // of a unix socket, as for chmod(2); 0: by the umask
};

struct RelayConfig : BindConfig {
  std::string name;                 // the operator's, to tell roles apart; may be empty
  std::string tls_certificate_file; // PEM, leaf first
  std::string tls_key_file;         // PEM
  std::vector<std::string> names; // host names or IP literals this relay is known by; at least one
  std::vector<EntityConfig> entities;
  std::vector<RuleConfig> rules;      // of the relay: they apply to every entity
  std::vector<std::string> protocols; // plugin ids; the first is the default without ALPN
  std::string auth = "auth_sas";
  std::string public_host; // host in offers; empty: as the listener dialled
  std::uint16_t public_port = 0;
  RelayLimits limits;
};

/// The HTTP proxy on the way to a relay.
struct ProxyConfig {
  HostPort address;   // no host: there is none
  std::string origin; // for messages: "the variable HTTPS_PROXY"; empty: the setting itself
  Secret credentials; // USER:PASSWORD for Basic authentication; empty: none
  /// Hosts that are dialled without it: a name (with those below it), an address, ADDRESS/BITS,
  /// or * for all.
  std::vector<std::string> except;

  /// http://[USER:PASSWORD@]HOST[:PORT]; the port is 80 where it is left out. A failure has
  /// Source::kConfig and never holds the text.
  static Result<ProxyConfig> parse(std::string_view url);
};

/// What a listener and a sender have in common.
struct ClientConfig {
  std::string name; // as RelayConfig's
  ConnectionString connection;
  Secret second_key;   // the rule's other key, for when the relay refuses the first; may be empty
  std::string ca_file; // PEM; empty: the system's
  std::string transport = "transport_azure";
  std::string auth = "auth_sas";
  std::string resolver = "resolver_dns";
  std::vector<std::string> resolve; // NAME=ADDR[,ADDR]
  ProxyConfig proxy;                // the engine reads no variable for it
  bool no_proxy = false;            // whatever the environment of a command says
  ClientLimits limits;
};

struct ListenerConfig : ClientConfig {
  HostPort target;
  /// Extra hosts (HOST or *.SUFFIX) that the relay may direct this listener to, in addition to the
  /// relay itself and its gateways().
  std::vector<std::string> rendezvous_hosts;
  /// The target gets a header of the PROXY protocol, version 2, in front of the app's bytes.
  bool proxy_protocol = false;
};

struct SenderConfig : ClientConfig, BindConfig {
  HostPort endpoint; // what apps ask for, as they know it: for the log; may be empty
  /// When it starts, the sender asks its relay whether it accepts the token, repeatedly until it
  /// does, and logs a line for each answer. Apps can connect in the meantime.
  bool prove_at_start = false;
  /// A connection that ends without a byte within ClientLimits::health_wait_ms opens no tunnel: it
  /// is a load balancer's probe.
  bool tcp_health = false;
  /// The listener is told each app's address; else nobody but this sender's log has it.
  bool tell_app_address = true;
};

/// A value of one setting that a plugin declares: as text, whatever its type ("12", "true",
/// "one,two"); a list item by item; or a secret.
using PluginSetting =
    std::variant<std::string, std::vector<std::string>, std::shared_ptr<const Secret>>;
/// By the plugin's id, then by the setting's name.
using PluginSettings = std::map<std::string, std::map<std::string, PluginSetting>>;

/// How the engine's shards reach the kernel.
enum class Backend : std::uint8_t {
  kAuto,  // io_uring; where it is not possible, epoll, and the log has one warning that says why
  kUring, // where io_uring is not possible, Engine::create() fails and says why
  kEpoll
};

/// The admin endpoint: HTTP for who operates this process, without a token. `bind` is a unix socket
/// or a loopback address.
struct AdminConfig {
  HostPort bind;             // empty: there is no endpoint
  unsigned bind_mode = 0600; // of a unix socket
  /// POST /reload waits for Engine::take_reload(); false: it is refused.
  bool reloads = false;
};
/// Whether the endpoint can be there; without an address it can.
Status check_admin(const AdminConfig &config);

struct EngineConfig {
  unsigned shards = 1;
  Backend backend = Backend::kAuto;
  /// The directories that may have <id>.so, in the order of the search; the running program's
  /// directory and its ../lib/culvert/plugins come last. The first one that has the file wins.
  std::vector<std::string> plugin_directories;
  /// Engine::create() refuses a plugin that it cannot find, a setting that the plugin does not
  /// declare, and a value of another type. Starting a role refuses a setting that the role sets
  /// itself.
  PluginSettings plugin_settings;
  /// Turns the text of a secret setting ("env:NAME") into the secret; `setting` ("auth_x.key") is
  /// for its error. Without it a secret setting must be given as a Secret.
  std::function<Result<Secret>(const std::string &text, const std::string &setting)> read_secret;
  /// True: the host drives the one shard with Engine::run_ready(), on the thread that made the
  /// engine.
  bool driven_by_host = false;
  ShardLimits limits;
  AdminConfig admin;
};

} // namespace culvert
