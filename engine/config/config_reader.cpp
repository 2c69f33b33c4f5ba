#include "config/config_reader.hpp"

#include "config/endpoint_address.hpp"
#include "config/setting_values.hpp"
#include "config/toml_file.hpp"
#include "config/unknown_key.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace culvert {
namespace {

const Written::Table kNothing;

class FileReader {
public:
  explicit FileReader(SecretReader &secrets) : secrets_(secrets) {}

  LoadedConfig read(const std::string &path) {
    TomlFile file = read_toml_file(path);
    made_.mistakes = std::move(file.mistakes);
    if (made_.mistakes.empty()) {
      read_all(file.table);
    }
    return std::move(made_);
  }

private:
  using Table = Written::Table;

  void mistake(ConfigPlace place, Status status) {
    made_.mistakes.push_back({place, std::move(status)});
  }
  void mistake(ConfigPlace place, std::string message) {
    mistake(place, Status::config(std::move(message)));
  }
  Draft draft() { return {made_.configuration, policy_, relay_limits_, client_limits_}; }

  void read_all(const Table &root) {
    policy_ = secrets_.policy();
    Draft process = draft();
    for (const Section section : {kEngineSection, kLogSection, kPluginsSection, kLimitsSection,
                                  kAdminSection, kDnsSection}) { // before the roles
      const WrittenEntry *entry = find(root, section_name(section));
      section_of_process(section, entry, process);
      secrets_.use(policy_);
    }
    for (const WrittenEntry &entry : root) {
      if (entry.key == "plugin") {
        plugins(entry);
      } else if (entry.key == "relay" || entry.key == "listener" || entry.key == "sender") {
        roles(entry);
      } else if (!is_section(entry.key)) {
        mistake(entry.place, unknown_section(entry.key));
      }
    }
    std::vector<SenderConfig *> to_endpoint;
    for (const std::size_t index : to_endpoint_) {
      to_endpoint.push_back(&made_.configuration.senders[index]);
    }
    bind_to_endpoints(to_endpoint);
    check_roles();
    use_reader(made_.configuration.engine, secrets_, "");
  }

  static const WrittenEntry *find(const Table &table, std::string_view key) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [key](const WrittenEntry &entry) { return entry.key == key; });
    return found == table.end() ? nullptr : &*found;
  }
  static bool is_section(const std::string &key) {
    return key == "engine" || key == "log" || key == "plugins" || key == "limits" ||
           key == "admin" || key == "dns";
  }

  void section_of_process(Section section, const WrittenEntry *entry, Draft &draft) {
    if (entry != nullptr && entry->value.table() == nullptr) {
      mistake(entry->place, named(entry->key) + " is " + std::string(entry->value.words()) +
                                "; write it as " + section_header(section));
      entry = nullptr;
    }
    settings_in(section, entry == nullptr ? kNothing : *entry->value.table(), {}, draft,
                section == kDnsSection ? made_.dns : made_.process);
  }

  /// The tables of [[relay]] and the like. The place of each is that of its header.
  std::vector<const Written *> tables(const WrittenEntry &entry, Section section) {
    std::vector<const Written *> found;
    const Written::List *list = entry.value.list();
    for (const Written &item : list == nullptr ? Written::List{} : *list) {
      if (item.table() == nullptr) {
        list = nullptr;
        break;
      }
    }
    if (list == nullptr) {
      mistake(entry.place, named(entry.key) + " is " + std::string(entry.value.words()) +
                               "; write each as " + section_header(section));
      return found;
    }
    for (const Written &item : *list) {
      found.push_back(&item);
    }
    return found;
  }

  // --- settings ----------------------------------------------------------------------------------

  void settings_in(Section section, const Table &table, ConfigPlace place, Draft &draft,
                   RolePlaces &places) {
    for (const WrittenEntry &entry : table) {
      const Setting *setting = find_setting(section, entry.key);
      if (setting != nullptr) {
        read_setting(*setting, entry, draft, places);
      } else if (!is_inner_table(section, entry.key)) {
        mistake(entry.place, unknown_key(section, entry.key));
      }
    }
    for (const Setting *setting : settings_of(section)) {
      if (find(table, setting->key) != nullptr) {
        continue;
      }
      if (setting->required && find(table, setting->unless) == nullptr) {
        const Setting *other = find_setting(section, setting->unless);
        mistake(place, setting->key + " is missing; write " + example_line(*setting) +
                           (other == nullptr ? "" : ", or " + example_line(*other)));
      } else {
        put_standard(*setting, draft, secrets_);
      }
    }
  }

  static std::string example_line(const Setting &setting) {
    return setting.key + " = \"" + setting.example + "\"";
  }

  void read_setting(const Setting &setting, const WrittenEntry &entry, Draft &draft,
                    RolePlaces &places) {
    Result<SettingValue> value = read_value(setting, entry.value, entry.key, secrets_);
    if (!value.ok()) {
      mistake(entry.value.place, value.status());
      return;
    }
    setting.put(draft, std::move(value.value()));
    places.keys.emplace(entry.key, entry.value.place);
  }

  // --- plugins -----------------------------------------------------------------------------------

  void plugins(const WrittenEntry &entry) {
    if (entry.value.table() == nullptr) {
      mistake(entry.place, "'plugin' is " + std::string(entry.value.words()) +
                               "; write [plugin.\"ID\"] with the plugin's settings");
      return;
    }
    for (const WrittenEntry &plugin : *entry.value.table()) {
      if (plugin.value.table() == nullptr) {
        mistake(plugin.place, named(plugin.key) + " is " + std::string(plugin.value.words()) +
                                  "; write [plugin.\"ID\"] with the plugin's settings");
        continue;
      }
      made_.plugins.emplace(plugin.key, plugin.place);
      for (const WrittenEntry &setting : *plugin.value.table()) {
        plugin_setting(plugin.key, setting);
      }
    }
  }
  void plugin_setting(const std::string &id, const WrittenEntry &entry) {
    PluginSetting &place = made_.configuration.engine.plugin_settings[id][entry.key];
    const Written &written = entry.value;
    if (const auto *text = written.text()) {
      place = *text;
    } else if (const auto *number = std::get_if<std::int64_t>(&written.value)) {
      place = std::to_string(*number);
    } else if (const auto *truth = std::get_if<bool>(&written.value)) {
      place = std::string(*truth ? "true" : "false");
    } else if (written.list() != nullptr &&
               std::all_of(written.list()->begin(), written.list()->end(),
                           [](const Written &item) { return item.text() != nullptr; })) {
      std::vector<std::string> items;
      for (const Written &item : *written.list()) {
        items.push_back(*item.text());
      }
      place = std::move(items);
    } else {
      mistake(written.place, named(entry.key) + " is " + std::string(written.words()) +
                                 "; a plugin's setting is a text, a number, true or false, or a "
                                 "list of texts");
    }
  }

  // --- roles -------------------------------------------------------------------------------------

  void roles(const WrittenEntry &entry) {
    const Section section = entry.key == "relay"
                                ? kRelaySection
                                : (entry.key == "listener" ? kListenerSection : kSenderSection);
    for (const Written *table : tables(entry, section)) {
      const Configuration &known = made_.configuration;
      if (known.relays.size() + known.listeners.size() + known.senders.size() == kMostRoles) {
        mistake(table->place, "a file has at most " + std::to_string(kMostRoles) +
                                  " relays, listeners and senders; run a second process");
        return;
      }
      if (section == kRelaySection) {
        relay(*table);
      } else if (section == kListenerSection) {
        listener(*table);
      } else {
        sender(*table);
      }
    }
  }

  void relay(const Written &table) {
    RelayConfig &config = made_.configuration.relays.emplace_back();
    RolePlaces &places = made_.relays.emplace_back();
    places.table = table.place;
    config.limits = relay_limits_;
    Draft into = draft();
    into.relay = &config;
    into.bind = &config;
    settings_in(kRelaySection, *table.table(), table.place, into, places);
    config.name = name_of(config.name, "relay", made_.relays.size());
    rules(*table.table(), kRelayRuleSection, config.rules);
    bool has_rule = !config.rules.empty();
    if (const WrittenEntry *entities = find(*table.table(), "entity")) {
      std::set<std::string> paths;
      for (const Written *entity : tables(*entities, kEntitySection)) {
        has_rule = read_entity(*entity, config, paths) || has_rule;
      }
    } else {
      mistake(table.place, "the relay has no entity; write [[relay.entity]] with a path");
    }
    if (!has_rule) {
      mistake(table.place, "the relay has no rule, so that nobody can listen; write "
                           "[[relay.rule]], or [[relay.entity.rule]] for an entity");
    }
  }
  /// True if it has a rule of its own.
  bool read_entity(const Written &table, RelayConfig &relay, std::set<std::string> &paths) {
    EntityConfig &config = relay.entities.emplace_back();
    RolePlaces places;
    Draft into = draft();
    into.entity = &config;
    settings_in(kEntitySection, *table.table(), table.place, into, places);
    if (places.keys.contains("path") && !paths.insert(lower_case(config.path)).second) {
      mistake(places.keys["path"], "path " + in_quotes(config.path) +
                                       " is the path of two entities (case does not count); "
                                       "remove one of them");
    }
    rules(*table.table(), kEntityRuleSection, config.rules);
    return find(*table.table(), "rule") != nullptr;
  }
  void rules(const Table &table, Section section, std::vector<RuleConfig> &into_rules) {
    const WrittenEntry *entry = find(table, "rule");
    if (entry == nullptr) {
      return;
    }
    std::set<std::string> names;
    for (const Written *rule : tables(*entry, section)) {
      RolePlaces places;
      Draft into = draft();
      into.rule = &into_rules.emplace_back();
      settings_in(section, *rule->table(), rule->place, into, places);
      const std::string &name = into.rule->name;
      if (places.keys.contains("name") && !names.insert(lower_case(name)).second) {
        mistake(places.keys["name"], "name " + in_quotes(name) +
                                         " is the name of two rules (case does not count); write "
                                         "another, or secondary_key for a second key");
      }
    }
  }
  void listener(const Written &table) {
    ListenerConfig &config = made_.configuration.listeners.emplace_back();
    RolePlaces &places = made_.listeners.emplace_back();
    Draft into = draft();
    into.listener = &config;
    client(table, kListenerSection, into, config, places);
    config.name = name_of(config.name, "listener", made_.listeners.size());
  }
  void sender(const Written &table) {
    SenderConfig &config = made_.configuration.senders.emplace_back();
    RolePlaces &places = made_.senders.emplace_back();
    config.prove_at_start = true;
    Draft into = draft();
    into.sender = &config;
    into.bind = &config;
    client(table, kSenderSection, into, config, places);
    config.name = name_of(config.name, "sender", made_.senders.size());
    const auto endpoint = places.keys.find("endpoint");
    if (endpoint == places.keys.end() || find(*table.table(), "bind") != nullptr) {
      return;
    }
    if (Status named = check_endpoint_name(config.endpoint, config.connection.host); named.ok()) {
      to_endpoint_.push_back(made_.senders.size() - 1);
    } else {
      mistake(endpoint->second, std::move(named));
    }
  }
  void client(const Written &table, Section section, Draft &into, ClientConfig &config,
              RolePlaces &places) {
    places.table = table.place;
    config.limits = client_limits_;
    into.client = &config;
    settings_in(section, *table.table(), table.place, into, places);
  }
  static std::string name_of(const std::string &given, const std::string &kind,
                             std::size_t position) {
    return given.empty() ? kind + "-" + std::to_string(position) : given;
  }

  template <typename Config>
  void check_names(const std::vector<Config> &configs, const std::vector<RolePlaces> &places,
                   const std::string &kind) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < configs.size(); ++i) {
      if (!names.insert(configs[i].name).second) {
        const auto at = places[i].keys.find("name");
        mistake(at == places[i].keys.end() ? places[i].table : at->second,
                "name " + in_quotes(configs[i].name) + " is the name of two " + kind +
                    "; write another");
      }
    }
  }
  void check_roles() {
    const Configuration &all = made_.configuration;
    check_names(all.relays, made_.relays, "relays");
    check_names(all.listeners, made_.listeners, "listeners");
    check_names(all.senders, made_.senders, "senders");
    if (all.relays.empty() && all.listeners.empty() && all.senders.empty()) {
      mistake({}, "the file has no role; write [[relay]], [[listener]] or [[sender]]");
      return;
    }
    std::set<std::string> used;
    for (const RelayConfig &relay : all.relays) {
      used.insert(relay.protocols.begin(), relay.protocols.end());
      used.insert(relay.auth);
    }
    const auto add = [&used](const ClientConfig &client) {
      used.insert({client.transport, client.auth, client.resolver});
    };
    std::for_each(all.listeners.begin(), all.listeners.end(), add);
    std::for_each(all.senders.begin(), all.senders.end(), add);
    for (const auto &[id, place] : made_.plugins) {
      if (!used.contains(id)) {
        mistake(place, "no role of this file uses the plugin " + named(id) + "; they use " +
                           one_of({used.begin(), used.end()}, " and "));
      }
    }
  }

  SecretReader &secrets_;
  SecretPolicy policy_;
  LoadedConfig made_;
  RelayLimits relay_limits_;
  ClientLimits client_limits_;
  std::vector<std::size_t> to_endpoint_; // senders without `bind`
};

} // namespace

void put_standard(const Setting &setting, Draft &draft, SecretReader &secrets) {
  if (setting.standard.empty()) {
    return;
  }
  Written written;
  written.value = setting.standard;
  written.of_flag = true;
  Result<SettingValue> value = read_value(setting, written, setting.key, secrets);
  setting.put(draft, std::move(value.value())); // a test reads every default
}

void use_reader(EngineConfig &engine, SecretReader &secrets, const std::string &subject_prefix) {
  engine.read_secret = [&secrets, subject_prefix](const std::string &text,
                                                  const std::string &setting) {
    return secrets.read(text, subject_prefix + setting);
  };
}

LoadedConfig read_config_file(const std::string &path, SecretReader &secrets) {
  SecretPolicy policy;
  policy.in_file = true;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  policy.folder = folder.empty() ? "." : folder.string();
  secrets.use(policy);
  return FileReader(secrets).read(path);
}

} // namespace culvert
