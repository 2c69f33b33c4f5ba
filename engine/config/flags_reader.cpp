// The settings of a command that runs one role, from its flags.

#include "config/config_reader.hpp"
#include "config/endpoint_address.hpp"
#include "config/setting_values.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <sstream>

namespace culvert {
namespace {

constexpr std::string_view kSet = "--set";
constexpr std::string_view kLimit = "--limit";
constexpr std::string_view kEntity = "--entity";
constexpr std::string_view kRule = "--rule";

/// The words of the key with '-', of a list its singular; of some sections behind a word that says
/// what it is for.
std::string flag_of(Section section, const Setting &setting) {
  std::string key = setting.key;
  if (setting.repeats() && key.ends_with("ies")) {
    key.replace(key.size() - 3, 3, "y");
  } else if (setting.repeats() && key.ends_with('s')) {
    key.pop_back();
  }
  std::replace(key.begin(), key.end(), '_', '-');
  const std::string prefix = section == kLogSection       ? "log-"
                             : section == kPluginsSection ? "plugin-"
                             : section == kAdminSection   ? "admin-"
                                                          : "";
  return "--" + prefix + key;
}

/// A command runs one role, which needs no name.
bool has_flag(const Setting &setting) {
  return setting.key != "name";
}

Section section_of(std::string_view name) {
  for (const Section section : all_sections()) {
    if (section_name(section) == name) {
      return section;
    }
  }
  return kEngineSection;
}

std::vector<std::string> split(const std::string &text, char at) {
  std::vector<std::string> pieces;
  std::istringstream words(text + at);
  std::string word;
  while (std::getline(words, word, at)) {
    pieces.push_back(word);
  }
  return pieces;
}

Written written(const Setting &setting, const std::vector<std::string> &texts) {
  Written result;
  result.of_flag = true;
  if (!setting.repeats()) {
    result.value = texts.back();
    return result;
  }
  Written::List items;
  for (const std::string &text : texts) {
    items.push_back({text, {}, true});
  }
  result.value = std::move(items);
  return result;
}

/// A setting that is given again is a list, and goes on.
void add_setting(std::map<std::string, PluginSetting> &settings, const std::string &key,
                 const std::string &value) {
  const auto [place, first] = settings.emplace(key, value);
  if (first) {
    return;
  }
  const auto *before = std::get_if<std::string>(&place->second);
  std::vector<std::string> more = split(value, ',');
  if (before != nullptr) {
    std::vector<std::string> all = split(*before, ',');
    place->second = std::move(all);
  }
  auto &items = std::get<std::vector<std::string>>(place->second);
  items.insert(items.end(), more.begin(), more.end());
}

class FlagsReader {
public:
  FlagsReader(const FlagValues &values, SecretReader &secrets)
      : values_(values), secrets_(secrets), policy_(secrets.policy()) {}

  LoadedConfig read(std::string_view role) {
    Draft process = draft();
    for (const Section section : {kEngineSection, kLogSection, kPluginsSection, kAdminSection}) {
      settings_in(section, process, made_.process);
      secrets_.use(policy_);
    }
    limits(process);
    if (role == "relay") {
      relay();
    } else if (role == "listener") {
      ListenerConfig &config = made_.configuration.listeners.emplace_back();
      Draft into = draft();
      into.listener = &config;
      client(kListenerSection, into, config, made_.listeners.emplace_back());
    } else if (role == "sender") {
      SenderConfig &config = made_.configuration.senders.emplace_back();
      config.prove_at_start = true;
      Draft into = draft();
      into.sender = &config;
      into.bind = &config;
      client(kSenderSection, into, config, made_.senders.emplace_back());
      bind_sender(config);
    }
    plugin_settings();
    use_reader(made_.configuration.engine, secrets_, std::string(kSet) + " ");
    return std::move(made_);
  }

private:
  void mistake(Status status) { made_.mistakes.push_back({{}, std::move(status)}); }
  Draft draft() { return {made_.configuration, policy_, relay_limits_, client_limits_}; }
  [[nodiscard]] const std::vector<std::string> *given(std::string_view flag) const {
    const auto found = values_.find(std::string(flag));
    return found == values_.end() || found->second.empty() ? nullptr : &found->second;
  }

  static std::string usage_of(Section section, const Setting &setting) {
    return flag_of(section, setting) + " " + form_of(setting);
  }
  static Status missing(Section section, const Setting &setting) {
    const Setting *other = find_setting(section, setting.unless);
    return Status::config(flag_of(section, setting) + " is missing; write " +
                          usage_of(section, setting) +
                          (other == nullptr ? "" : ", or " + usage_of(section, *other)));
  }
  [[nodiscard]] bool stands_in(Section section, const Setting &setting) const {
    const Setting *other = find_setting(section, setting.unless);
    return other != nullptr && given(flag_of(section, *other)) != nullptr;
  }

  void settings_in(Section section, Draft &into, RolePlaces &places) {
    for (const Setting *setting : settings_of(section)) {
      const std::string flag = flag_of(section, *setting);
      const auto *texts = has_flag(*setting) ? given(flag) : nullptr;
      if (texts != nullptr) {
        put(*setting, written(*setting, *texts), flag, into, places);
      } else if (setting->required && !stands_in(section, *setting)) {
        mistake(missing(section, *setting));
      } else {
        put_standard(*setting, into, secrets_);
      }
    }
  }
  void put(const Setting &setting, const Written &written, const std::string &subject, Draft &into,
           RolePlaces &places) {
    Result<SettingValue> value = read_value(setting, written, subject, secrets_);
    if (value.ok()) {
      setting.put(into, std::move(value.value()));
      places.keys.emplace(setting.key, ConfigPlace{});
    } else {
      mistake(value.status());
    }
  }

  void limits(Draft &into) {
    const auto *texts = given(kLimit);
    for (const std::string &text : texts == nullptr ? std::vector<std::string>{} : *texts) {
      const std::size_t equals = std::min(text.find('='), text.size());
      std::string key = text.substr(0, equals);
      std::replace(key.begin(), key.end(), '-', '_');
      const Setting *setting = find_setting(kLimitsSection, key);
      if (setting == nullptr || equals == text.size()) {
        mistake(no_limit(key, setting != nullptr));
        continue;
      }
      const std::string subject = std::string(kLimit).append(" ").append(key);
      put(*setting, {text.substr(equals + 1), {}, true}, subject, into, made_.process);
    }
  }
  static Status no_limit(const std::string &key, bool known) {
    std::vector<std::string> keys;
    for (const Setting *each : settings_of(kLimitsSection)) {
      keys.push_back(each->key);
    }
    const std::string near = nearest_word(key, keys);
    const std::string subject = std::string(kLimit) + ": ";
    if (known) {
      return Status::config(subject + in_quotes(key) + " has no value; write KEY=VALUE");
    }
    return Status::config(subject + in_quotes(key) + " is no limit; " +
                          (near.empty() ? "see [limits] in the output of culvert config example"
                                        : "did you mean '" + near + "'?"));
  }

  /// A failure does not repeat the value: it may be a secret in the wrong place.
  void plugin_settings() {
    const auto *texts = given(kSet);
    for (const std::string &text : texts == nullptr ? std::vector<std::string>{} : *texts) {
      const std::string name = text.substr(0, text.find('='));
      const std::size_t dot = name.find('.');
      if (name.size() == text.size() || dot == std::string::npos || dot == 0 ||
          dot + 1 == name.size()) {
        mistake(Status::config("--set: write PLUGIN.KEY=VALUE, for example "
                               "resolver_dns.servers=10.0.0.2"));
        continue;
      }
      add_setting(made_.configuration.engine.plugin_settings[name.substr(0, dot)],
                  name.substr(dot + 1), text.substr(name.size() + 1));
    }
  }

  void relay() {
    RelayConfig &config = made_.configuration.relays.emplace_back();
    RolePlaces &places = made_.relays.emplace_back();
    config.limits = relay_limits_;
    Draft into = draft();
    into.relay = &config;
    into.bind = &config;
    settings_in(kRelaySection, into, places);
    if (const auto *paths = given(kEntity)) {
      for (const std::string &path : *paths) {
        into.entity = &config.entities.emplace_back();
        put(*find_setting(kEntitySection, "path"), {path, {}, true}, std::string(kEntity), into,
            places);
      }
    }
    if (const auto *texts = given(kRule)) {
      Result<std::vector<RuleConfig>> rules = rules_of_flags(*texts, secrets_);
      if (rules.ok()) {
        config.rules = std::move(rules.value());
      } else {
        mistake(rules.status());
      }
    }
  }
  void bind_sender(SenderConfig &config) {
    if (given("--bind") != nullptr || config.endpoint.port == 0) { // its value may be a mistake
      return;
    }
    if (Status named = check_endpoint_name(config.endpoint, config.connection.host); named.ok()) {
      bind_to_endpoints({&config});
    } else {
      mistake(std::move(named));
    }
  }
  void client(Section section, Draft &into, ClientConfig &config, RolePlaces &places) {
    config.limits = client_limits_;
    into.client = &config;
    settings_in(section, into, places);
  }

  const FlagValues &values_;
  SecretReader &secrets_;
  SecretPolicy policy_;
  LoadedConfig made_;
  RelayLimits relay_limits_;
  ClientLimits client_limits_;
};

/// Of a rule in a message: a long name may be a secret in the wrong place.
std::string rule_subject(const std::string &name) {
  constexpr std::size_t kShortName = 24;
  return std::string(kRule) + (name.size() > kShortName ? "" : " " + name);
}

Result<RuleConfig> rule_of(const std::string &text, SecretReader &secrets) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos || first == 0) {
    return Status::config("--rule: write NAME:RIGHTS:SECRET, for example app:send:env:APP_KEY");
  }
  RuleConfig rule;
  rule.name = text.substr(0, first);
  const std::string subject = rule_subject(rule.name);
  const std::string rights = text.substr(first + 1, second - first - 1);
  const Result<Rights> read =
      rights_of_words(rights.empty() ? std::vector<std::string>{} : split(rights, ','), subject);
  if (!read.ok()) {
    return read.status();
  }
  rule.rights = read.value();
  Result<SettingValue> key = read_value(*find_setting(kRelayRuleSection, "primary_key"),
                                        {text.substr(second + 1), {}, true}, subject, secrets);
  if (!key.ok()) {
    return key.status();
  }
  rule.primary = std::move(key.value().secret);
  return rule;
}

bool same(const Rights &one, const Rights &other) {
  return one.listen == other.listen && one.send == other.send && one.manage == other.manage;
}

} // namespace

Result<std::vector<RuleConfig>> rules_of_flags(const std::vector<std::string> &texts,
                                               SecretReader &secrets) {
  std::vector<RuleConfig> rules;
  for (const std::string &text : texts) {
    Result<RuleConfig> rule = rule_of(text, secrets);
    if (!rule.ok()) {
      return rule.status();
    }
    const std::string &name = rule.value().name;
    const auto first = std::find_if(rules.begin(), rules.end(), [&name](const RuleConfig &known) {
      return lower_case(known.name) == lower_case(name);
    });
    if (first == rules.end()) {
      rules.push_back(std::move(rule.value()));
    } else if (!same(first->rights, rule.value().rights)) {
      return Status::config(rule_subject(name) +
                            ": the second key of a rule has the rights of the first; write the "
                            "same rights, or another name");
    } else if (!first->secondary.empty()) {
      return Status::config(
          rule_subject(name) +
          ": a rule has at most two keys, for every entity; leave the third out, or "
          "write keys of one entity into [[relay.entity.rule]] of a file");
    } else {
      first->secondary = std::move(rule.value().primary);
    }
  }
  return rules;
}

Result<Rights> rights_of_words(const std::vector<std::string> &words, const std::string &setting) {
  Rights rights;
  std::vector<std::string> known;
  if (words.empty()) {
    return Status::config(setting + ": no right is named; write listen, send or manage");
  }
  for (const std::string &each : words) {
    const std::string word = lower_case(each);
    if (std::find(known.begin(), known.end(), word) != known.end()) {
      return Status::config(setting + ": a right is named twice; write each once");
    }
    known.push_back(word);
    if (word == "listen") {
      rights.listen = true;
    } else if (word == "send") {
      rights.send = true;
    } else if (word == "manage") {
      rights = {true, true, true};
    } else {
      return Status::config(setting + ": a right is unknown; write listen, send or manage");
    }
  }
  return rights;
}

Result<std::vector<std::string>> list_of_flags(const std::vector<std::string> &texts,
                                               const std::string &setting) {
  std::vector<std::string> items;
  for (const std::string &text : texts) {
    for (const std::string &word : split(text, ',')) {
      if (word.empty()) {
        return Status::config(setting + ": " + in_quotes(text) + " has an empty item; write A,B");
      }
      items.push_back(word);
    }
  }
  return items;
}

std::vector<SettingFlag> setting_flags(std::string_view section) {
  std::vector<SettingFlag> flags;
  const Section found = section_of(section);
  for (const Setting *setting : settings_of(found)) {
    if (has_flag(*setting)) {
      flags.push_back({flag_of(found, *setting), form_of(*setting), setting->standard,
                       setting->sentence, setting->required && setting->unless.empty(),
                       setting->repeats()});
    }
  }
  return flags;
}

LoadedConfig read_config_flags(std::string_view section, const FlagValues &values,
                               SecretReader &secrets) {
  secrets.use({});
  return FlagsReader(values, secrets).read(section);
}

} // namespace culvert
