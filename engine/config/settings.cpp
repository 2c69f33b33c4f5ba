#include "config/settings.hpp"

#include "config/setting_values.hpp"

#include <algorithm>
#include <span>

namespace culvert {
namespace {

using Kind = SettingKind;
constexpr unsigned kRule = kRelayRuleSection | kEntityRuleSection;
constexpr unsigned kClient = kListenerSection | kSenderSection;
constexpr unsigned kBinding = kRelaySection | kSenderSection;
constexpr std::uint64_t kMostShards = 64;
constexpr std::uint64_t kLongestTtlMs = 3'600'000;

/// drain_grace stands in [engine]: whoever stops a process looks for it there.
constexpr std::string_view kEngineLimit = "drain_grace_ms";

void put_addresses(Draft &draft, SettingValue value) {
  draft.bind->bind = value.addresses.front();
  draft.bind->also_bind.assign(value.addresses.begin() + 1, value.addresses.end());
}

std::vector<Setting> process_settings() {
  return {
      {kEngineSection, "shards", Kind::kShards, "1", "",
       "Event loops, each with a thread: a number, or auto (one a CPU)",
       [](Draft &d, SettingValue v) { d.made.engine.shards = static_cast<unsigned>(v.number); },
       false, 1, kMostShards},
      {kEngineSection,
       "backend",
       Kind::kChoice,
       "auto",
       "",
       "How the event loops reach the kernel; auto is epoll where io_uring is not possible",
       [](Draft &d, SettingValue v) { d.made.engine.backend = static_cast<Backend>(v.number); },
       false,
       0,
       0,
       {"auto", "uring", "epoll"}},
      {kEngineSection, "insecure_literal_secrets", Kind::kTruth, "false", "",
       "Allow secrets themselves in place of env:NAME or file:PATH, where others can read them",
       [](Draft &d, SettingValue v) { d.policy.literals = v.number != 0; }},
      {kEngineSection, "insecure_secret_files", Kind::kTruth, "false", "",
       "Allow secret files that every user of this machine may open",
       [](Draft &d, SettingValue v) { d.policy.readable_files = v.number != 0; }},
      {kLogSection,
       "level",
       Kind::kChoice,
       "info",
       "",
       "The least important lines of the log",
       [](Draft &d, SettingValue v) { d.made.log_level = static_cast<LogLevel>(v.number); },
       false,
       0,
       0,
       {"error", "warn", "info", "debug", "trace"}},
      {kLogSection,
       "format",
       Kind::kChoice,
       "text",
       "",
       "The form of the log's lines",
       [](Draft &d, SettingValue v) { d.made.log_format = static_cast<LogFormat>(v.number); },
       false,
       0,
       0,
       {"text", "json"}},
      {kPluginsSection, "directories", Kind::kFolders, "", "/usr/local/lib/culvert",
       "Where <id>.so is looked for. The first directory that has it wins; the program's own "
       "directory and its ../lib/culvert/plugins come last",
       [](Draft &d, SettingValue v) { d.made.engine.plugin_directories = std::move(v.list); }},
      {kAdminSection, "bind", Kind::kAdminAddress, "", "unix:/run/culvert/admin.sock",
       "Where the admin endpoint answers: a unix socket or a loopback address; default: nowhere",
       [](Draft &d, SettingValue v) { d.made.engine.admin.bind = v.addresses.front(); }},
      {kAdminSection, "bind_mode", Kind::kMode, "0600", "",
       "Who may connect to its unix socket, as chmod writes it",
       [](Draft &d, SettingValue v) {
         d.made.engine.admin.bind_mode = static_cast<unsigned>(v.number);
       }},
  };
}

std::vector<Setting> dns_settings() {
  return {
      {kDnsSection, "bind", Kind::kLoopbacks, "", "127.0.0.153:53",
       "Where the DNS responder answers, over UDP and TCP: loopback addresses; default: nowhere",
       [](Draft &d, SettingValue v) { d.made.dns.bind = std::move(v.addresses); }},
      {kDnsSection, "upstreams", Kind::kNameServers, "", "10.0.0.2",
       "Name servers that it asks for all names but those of endpoints; default: the system's",
       [](Draft &d, SettingValue v) { d.made.dns.upstreams = std::move(v.addresses); }},
      {kDnsSection, "ttl", Kind::kDuration, "5s", "",
       "How long clients may remember the address of an endpoint's name",
       [](Draft &d, SettingValue v) { d.made.dns.ttl_ms = v.number; }, false, 0, kLongestTtlMs},
  };
}

/// A relay's name, and where relays and senders listen.
std::vector<Setting> address_settings() {
  return {
      {kRelaySection, "name", Kind::kText, "", "main",
       "To tell relays apart; default: by position, relay-1",
       [](Draft &d, SettingValue v) { d.relay->name = std::move(v.text); }},
      {kRelaySection, "bind", Kind::kAddresses, "", "0.0.0.0:443",
       "Where to accept connections. [::]:PORT serves IPv4 too, and unix:/PATH is a unix socket",
       put_addresses, true},
      {kSenderSection,
       "bind",
       Kind::kAddresses,
       "",
       "127.0.0.1:1433",
       "Where apps connect. [::]:PORT serves IPv4 too, and unix:/PATH is a unix socket; default: a "
       "loopback address that the endpoint's name gives, and its port",
       put_addresses,
       true,
       0,
       0,
       {},
       "endpoint"},
      {kBinding, "bind_mode", Kind::kMode, "", "0660",
       "Who may connect to the unix sockets of bind, as chmod writes it: 0660 for the user and "
       "group; default: as the umask says",
       [](Draft &d, SettingValue v) { d.bind->bind_mode = static_cast<unsigned>(v.number); }},
  };
}

std::vector<Setting> relay_settings() {
  return {
      {kRelaySection, "names", Kind::kHosts, "", "relay.example.com",
       "Host names this relay is known by; tokens are for them",
       [](Draft &d, SettingValue v) { d.relay->names = std::move(v.list); }, true},
      {kRelaySection, "public_address", Kind::kPublicAddress, "", "relay.example.com:443",
       "Where listeners reach this relay; default: as each of them dialled it",
       [](Draft &d, SettingValue v) {
         d.relay->public_host = v.addresses.front().host;
         d.relay->public_port = v.addresses.front().port;
       }},
      {kRelaySection, "certificate", Kind::kFile, "", "relay.pem",
       "Certificate chain, PEM, the relay's own first",
       [](Draft &d, SettingValue v) { d.relay->tls_certificate_file = std::move(v.text); }, true},
      {kRelaySection, "private_key", Kind::kKeyFile, "", "relay.key", "Its private key, PEM",
       [](Draft &d, SettingValue v) { d.relay->tls_key_file = std::move(v.text); }, true},
      {kRelaySection, "protocols", Kind::kPlugins, "transport_azure", "",
       "Plugins of relay protocols; the first is the default when a client names no protocol",
       [](Draft &d, SettingValue v) { d.relay->protocols = std::move(v.list); }},
      {kRelaySection, "auth", Kind::kPlugin, "auth_sas", "", "Plugin that verifies tokens",
       [](Draft &d, SettingValue v) { d.relay->auth = std::move(v.text); }},
      {kRule, "name", Kind::kRuleName, "", "defaultListener", "As tokens name the rule",
       [](Draft &d, SettingValue v) { d.rule->name = std::move(v.text); }, true},
      {kRule, "rights", Kind::kRights, "", "listen",
       "What a token of the rule allows: listen, send, manage (all)",
       [](Draft &d, SettingValue v) { d.rule->rights = v.rights; }, true},
      {kRule, "primary_key", Kind::kRuleKey, "", "file:rule.key",
       "The key that tokens are signed with",
       [](Draft &d, SettingValue v) { d.rule->primary = std::move(v.secret); }, true},
      {kRule, "secondary_key", Kind::kRuleKey, "", "file:rule-2.key",
       "A second key, so that clients can change from one to the other",
       [](Draft &d, SettingValue v) { d.rule->secondary = std::move(v.secret); }},
      {kEntitySection, "path", Kind::kEntityPath, "", "sql", "Where listeners and senders meet",
       [](Draft &d, SettingValue v) { d.entity->path = std::move(v.text); }, true},
      {kEntitySection, "requires_client_authorization", Kind::kTruth, "true", "",
       "Senders need a token; listeners always do",
       [](Draft &d, SettingValue v) { d.entity->requires_client_authorization = v.number != 0; }},
      {kEntitySection,
       "listeners",
       Kind::kChoice,
       "random",
       "",
       "Which of several listeners gets a sender",
       [](Draft &d, SettingValue v) {
         d.entity->listeners = static_cast<ListenerChoice>(v.number);
       },
       false,
       0,
       0,
       {"random", "least-tunnels"}},
  };
}

std::vector<Setting> client_settings() {
  return {
      {kClient, "name", Kind::kText, "", "sql",
       "To tell listeners, or senders, apart; default: by position, listener-1",
       [](Draft &d, SettingValue v) { d.client->name = std::move(v.text); }},
      {kClient, "connection_string", Kind::kConnection, "", "file:sql.connection",
       "The entity's connection string",
       [](Draft &d, SettingValue v) { d.client->connection = std::move(v.connection); }, true},
      {kClient, "second_key", Kind::kRuleKey, "", "file:rule-2.key",
       "The rule's other key: tokens are made with it when the relay refuses those of the first",
       [](Draft &d, SettingValue v) { d.client->second_key = std::move(v.secret); }},
      {kListenerSection, "target", Kind::kTarget, "", "db.internal:1433",
       "The service behind this listener: HOST:PORT or unix:/PATH",
       [](Draft &d, SettingValue v) { d.listener->target = v.addresses.front(); }, true},
      {kSenderSection, "endpoint", Kind::kTarget, "", "db.internal:1433",
       "What apps ask for, as they know it. Where bind is left out, its name leads them here",
       [](Draft &d, SettingValue v) { d.sender->endpoint = v.addresses.front(); }},
      {kListenerSection,
       "proxy_protocol",
       Kind::kChoice,
       "off",
       "",
       "v2: the target gets the app's address in a PROXY protocol header, which it must expect",
       [](Draft &d, SettingValue v) { d.listener->proxy_protocol = v.number != 0; },
       false,
       0,
       0,
       {"off", "v2"}},
      {kSenderSection, "tcp_health", Kind::kTruth, "false", "",
       "A connection that ends without a byte, as a load balancer's probe does, opens no tunnel",
       [](Draft &d, SettingValue v) { d.sender->tcp_health = v.number != 0; }},
      {kSenderSection, "tell_app_address", Kind::kTruth, "true", "",
       "The relay and the listener are told the app's address",
       [](Draft &d, SettingValue v) { d.sender->tell_app_address = v.number != 0; }},
      {kClient, "ca", Kind::kFile, "", "ca.pem",
       "Certificate authorities to trust, PEM; default: the system's",
       [](Draft &d, SettingValue v) { d.client->ca_file = std::move(v.text); }},
      {kClient, "transport", Kind::kPlugin, "transport_azure", "",
       "Plugin that speaks to the relay",
       [](Draft &d, SettingValue v) { d.client->transport = std::move(v.text); }},
      {kClient, "auth", Kind::kPlugin, "auth_sas", "", "Plugin that makes tokens",
       [](Draft &d, SettingValue v) { d.client->auth = std::move(v.text); }},
      {kClient, "resolver", Kind::kPlugin, "resolver_dns", "",
       "Plugin that finds addresses of names",
       [](Draft &d, SettingValue v) { d.client->resolver = std::move(v.text); }},
      {kClient, "resolve", Kind::kResolve, "", "relay.example.com=192.0.2.10",
       "Addresses of names, before /etc/hosts",
       [](Draft &d, SettingValue v) { d.client->resolve = std::move(v.list); }},
      {kClient, "proxy", Kind::kProxy, "", "http://proxy.example.com:3128",
       "HTTP proxy that leads to the relay, or none; default: HTTPS_PROXY and NO_PROXY of the "
       "environment",
       [](Draft &d, SettingValue v) {
         d.client->no_proxy = v.proxy.address.host.empty();
         d.client->proxy.address = v.proxy.address;
       }},
      {kClient, "proxy_credentials", Kind::kCredentials, "", "file:proxy.password",
       "USER:PASSWORD for the proxy",
       [](Draft &d, SettingValue v) { d.client->proxy.credentials = std::move(v.secret); }},
      {kListenerSection, "rendezvous_hosts", Kind::kHosts, "", "*.relay.example.com",
       "Extra hosts that the relay may direct this listener to: a name, or *.SUFFIX (the relay "
       "itself, and the gateways of an Azure namespace, need not be named)",
       [](Draft &d, SettingValue v) { d.listener->rendezvous_hosts = std::move(v.list); }},
  };
}

template <typename Limits> Limits &limits_in(Draft &draft) {
  if constexpr (std::is_same_v<Limits, ShardLimits>) {
    return draft.made.engine.limits;
  } else if constexpr (std::is_same_v<Limits, RelayLimits>) {
    return draft.relay_limits;
  } else {
    return draft.client_limits;
  }
}

/// The name of a bound without its unit. A bound that relays and clients both have is one setting.
template <typename Limits> void add_limits(std::vector<Setting> &rows) {
  for (const LimitField<Limits> &field : limit_fields<Limits>()) {
    std::string key(field.name);
    key.resize(key.size() - (field.unit.empty() ? 0 : field.unit.size() + 1));
    const unsigned section = field.name == kEngineLimit ? kEngineSection : kLimitsSection;
    const auto put = [to = field.field](Draft &draft, std::uint64_t value) {
      limits_in<Limits>(draft).*to = value;
    };
    const auto known = std::find_if(rows.begin(), rows.end(), [&](const Setting &row) {
      return row.sections == section && row.key == key;
    });
    if (known != rows.end()) {
      known->put = [first = known->put, put](Draft &draft, SettingValue value) {
        put(draft, value.number);
        first(draft, std::move(value));
      };
      continue;
    }
    Setting row;
    row.sections = section;
    row.key = key;
    row.kind =
        field.unit == "ms" ? Kind::kDuration : (field.unit == "bytes" ? Kind::kSize : Kind::kCount);
    row.standard = row.kind == Kind::kDuration
                       ? duration_text(field.standard())
                       : (row.kind == Kind::kSize ? size_text(field.standard())
                                                  : std::to_string(field.standard()));
    row.sentence = field.sentence;
    row.least = field.least;
    row.most = field.most;
    row.put = [put](Draft &draft, SettingValue value) { put(draft, value.number); };
    rows.push_back(std::move(row));
  }
}

std::vector<Setting> make_settings() {
  std::vector<Setting> rows = process_settings();
  add_limits<ShardLimits>(rows);
  add_limits<RelayLimits>(rows);
  add_limits<ClientLimits>(rows);
  for (const auto &more :
       {dns_settings(), address_settings(), relay_settings(), client_settings()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

struct NamedSection {
  Section section;
  std::string_view name;
};
constexpr NamedSection kSections[] = {
    {kEngineSection, "engine"},       {kLogSection, "log"},
    {kPluginsSection, "plugins"},     {kLimitsSection, "limits"},
    {kAdminSection, "admin"},         {kDnsSection, "dns"},
    {kRelaySection, "relay"},         {kRelayRuleSection, "relay.rule"},
    {kEntitySection, "relay.entity"}, {kEntityRuleSection, "relay.entity.rule"},
    {kListenerSection, "listener"},   {kSenderSection, "sender"},
};

} // namespace

bool Setting::repeats() const {
  return kind == Kind::kHosts || kind == Kind::kPlugins || kind == Kind::kFolders ||
         kind == Kind::kAddresses || kind == Kind::kResolve || kind == Kind::kRights ||
         kind == Kind::kLoopbacks || kind == Kind::kNameServers;
}

const std::vector<Setting> &settings() {
  static const std::vector<Setting> rows = make_settings();
  return rows;
}

std::vector<const Setting *> settings_of(Section section) {
  std::vector<const Setting *> found;
  for (const Setting &row : settings()) {
    if ((row.sections & section) != 0) {
      found.push_back(&row);
    }
  }
  return found;
}

const Setting *find_setting(Section section, std::string_view key) {
  for (const Setting *row : settings_of(section)) {
    if (row->key == key) {
      return row;
    }
  }
  return nullptr;
}

std::string_view section_name(Section section) {
  for (const NamedSection &each : kSections) {
    if (each.section == section) {
      return each.name;
    }
  }
  return {};
}

std::string section_header(Section section) {
  const std::string name(section_name(section));
  return section >= kRelaySection ? "[[" + name + "]]" : "[" + name + "]";
}

std::vector<Section> all_sections() {
  std::vector<Section> all;
  for (const NamedSection &each : kSections) {
    all.push_back(each.section);
  }
  return all;
}

} // namespace culvert
