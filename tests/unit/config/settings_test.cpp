// The table of settings: each row, from the default to the value that a configuration holds.
#include "config/config_reader.hpp"
#include "config/setting_values.hpp"
#include "config/settings.hpp"
#include "unit/config/config_world.hpp"

#include <regex>
#include <set>

namespace culvert::test {
namespace {

using Lines = std::vector<std::string>;

/// A value that is right and not the default, as a file has it.
std::string another_value(const Setting &setting) {
  switch (setting.kind) {
  case SettingKind::kShards:
    return "7";
  case SettingKind::kCount:
    return std::to_string(setting.standard == std::to_string(setting.most) ? setting.least
                                                                           : setting.most);
  case SettingKind::kDuration:
    return '"' +
           duration_text(setting.standard == duration_text(setting.most) ? setting.least
                                                                         : setting.most) +
           '"';
  case SettingKind::kSize:
    return '"' +
           size_text(setting.standard == size_text(setting.most) ? setting.least : setting.most) +
           '"';
  case SettingKind::kTruth:
    return setting.standard == "true" ? "false" : "true";
  case SettingKind::kChoice:
    return '"' + setting.words.back() + "\"";
  case SettingKind::kRights:
    return "\"send\"";
  case SettingKind::kRuleKey:
    return "\"file:rule-2.key\"";
  case SettingKind::kConnection:
    return "\"file:other.connection\"";
  case SettingKind::kAddresses:
  case SettingKind::kAdminAddress:
  case SettingKind::kLoopbacks:
  case SettingKind::kNameServers:
    return "\"127.0.0.1:7\"";
  case SettingKind::kMode:
    return setting.standard == "0600" ? "\"0640\"" : "\"0600\"";
  case SettingKind::kTarget:
  case SettingKind::kPublicAddress:
    return "\"other.example:7\"";
  case SettingKind::kProxy:
    return "\"http://other.example:7\"";
  case SettingKind::kCredentials:
    return "\"file:proxy.password\"";
  default:
    return "\"other\"";
  }
}

/// Everything that a configuration holds, as one text.
std::string print(const Configuration &made) {
  std::string text = fingerprint(made.engine) + " " +
                     std::to_string(static_cast<unsigned>(made.log_level)) +
                     std::to_string(static_cast<unsigned>(made.log_format));
  for (const std::vector<HostPort> &list : {made.dns.bind, made.dns.upstreams}) {
    text += " " + (list.empty() ? "" : list.front().text());
  }
  text += " " + std::to_string(made.dns.ttl_ms);
  for (const RelayConfig &config : made.relays) {
    text += " " + fingerprint(config);
  }
  for (const ListenerConfig &config : made.listeners) {
    text += " " + fingerprint(config);
  }
  for (const SenderConfig &config : made.senders) {
    text += " " + fingerprint(config);
  }
  return text;
}

class SettingsTest : public testing::Test {
protected:
  /// A file with a role of each kind, in which one setting of a section has this value.
  std::string file_with(Section section, const std::string &key, const std::string &value) const {
    std::string bind = "127.0.0.1:8443";
    if (key == "bind_mode") {
      bind = "unix:/run/x";
    }
    std::map<Section, std::map<std::string, std::string>> all{
        {kRelaySection,
         {{"bind", '"' + bind + '"'},
          {"names", "\"relay.example\""},
          {"certificate", "\"relay.pem\""},
          {"private_key", "\"relay.key\""}}},
        {kDnsSection, {{"bind", "\"127.0.0.153:53\""}}},
        {kRelayRuleSection,
         {{"name", "\"r\""}, {"rights", "\"listen\""}, {"primary_key", "\"file:rule.key\""}}},
        {kEntitySection, {{"path", "\"sql\""}}},
        {kEntityRuleSection,
         {{"name", "\"e\""}, {"rights", "\"listen\""}, {"primary_key", "\"file:rule.key\""}}},
        {kListenerSection,
         {{"connection_string", "\"file:sql.connection\""}, {"target", "\"a:1\""}}},
        {kSenderSection,
         {{"connection_string", "\"file:sql.connection\""},
          {"bind", section == kSenderSection && key == "bind_mode" ? "\"unix:/run/y\""
                                                                   : "\"127.0.0.1:1433\""}}},
    };
    if (section == kAdminSection && key == "bind_mode") {
      all[kAdminSection]["bind"] = "\"unix:/run/z\"";
    }
    if (key == "repeat_floor") {
      all[kLimitsSection]["repeat_ceiling"] = "\"1h\"";
    }
    if (!key.empty()) {
      all[section][key] = value;
    }
    std::string text;
    for (const Section each : all_sections()) {
      const std::string name(section_name(each));
      text += each >= kRelaySection ? "[[" + name + "]]\n" : "[" + name + "]\n";
      for (const auto &[known, is] : all[each]) {
        text.append(known).append(" = ").append(is).append("\n");
      }
    }
    return text;
  }
  ConfigWorld world;
};

TEST_F(SettingsTest, EachSettingReachesTheConfigurationAndNoSettingIsIgnored) {
  for (const Section section : all_sections()) {
    for (const Setting *setting : settings_of(section)) {
      const std::string before =
          setting->key == "bind_mode"      ? file_with(section, setting->key, "\"0777\"")
          : setting->key == "repeat_floor" ? file_with(section, setting->key, "\"1s\"")
                                           : file_with(section, "", "");
      const std::string after = file_with(section, setting->key, another_value(*setting));
      const LoadedConfig one = world.load(before);
      const LoadedConfig other = world.load(after);
      const std::string title = std::string(section_name(section)) + "." + setting->key;
      EXPECT_EQ(ConfigWorld::lines(one), Lines{}) << title;
      EXPECT_EQ(ConfigWorld::lines(other), Lines{}) << title;
      if (setting->key.starts_with("insecure_")) {
        continue; // it changes what is taken: config_file_test.cpp
      }
      EXPECT_NE(print(one.configuration), print(other.configuration)) << title;
    }
  }
}

TEST_F(SettingsTest, EachFlagGivesTheSameAsItsKey) {
  const struct {
    Section section;
    const char *role;
    FlagValues needed;
  } kRoles[] = {
      {kRelaySection,
       "relay",
       {{"--bind", {"127.0.0.1:8443"}},
        {"--name", {"relay.example"}},
        {"--certificate", {world.folder + "/relay.pem"}},
        {"--private-key", {world.folder + "/relay.key"}},
        {"--entity", {"sql"}},
        {"--rule", {"r:listen:file:" + world.folder + "/rule.key"}}}},
      {kListenerSection,
       "listener",
       {{"--connection-string", {"file:" + world.folder + "/sql.connection"}},
        {"--target", {"a:1"}}}},
      {kSenderSection,
       "sender",
       {{"--connection-string", {"file:" + world.folder + "/sql.connection"}},
        {"--bind", {"127.0.0.1:1433"}}}},
  };
  const auto load = [this](const char *role, const FlagValues &values) {
    LoadedConfig loaded = load_flags(role, values, world.secrets);
    EXPECT_EQ(ConfigWorld::lines(loaded), Lines{});
    return print(loaded.configuration);
  };
  for (const auto &role : kRoles) {
    for (const char *section : {"engine", "log", "plugins", role.role}) {
      const std::vector<SettingFlag> flags = setting_flags(section);
      std::size_t rows = 0;
      for (const Section each : all_sections()) {
        if (section_name(each) == section) {
          for (const Setting *setting : settings_of(each)) {
            rows += setting->key == "name" ? 0 : 1;
            if (setting->key == "name" || setting->key.starts_with("insecure_")) {
              continue;
            }
            FlagValues before = role.needed;
            if (setting->key == "bind_mode") {
              before["--bind"] = {"unix:/run/x"};
            }
            FlagValues values = before;
            std::string value = another_value(*setting);
            value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
            if (value.starts_with("file:")) {
              value.insert(5, world.folder + "/");
            }
            const auto flag = flags.at(rows - 1).flag;
            values[flag] = {value};
            EXPECT_NE(load(role.role, before), load(role.role, values)) << flag;
          }
        }
      }
      EXPECT_EQ(flags.size(), rows) << section;
    }
  }
}

TEST_F(SettingsTest, EachLimitCanBeGivenByFlag) {
  const FlagValues needed{{"--bind", {"127.0.0.1:8443"}},
                          {"--name", {"relay.example"}},
                          {"--certificate", {world.folder + "/relay.pem"}},
                          {"--private-key", {world.folder + "/relay.key"}},
                          {"--entity", {"sql"}},
                          {"--rule", {"r:listen:file:" + world.folder + "/rule.key"}}};
  for (const Setting *setting : settings_of(kLimitsSection)) {
    FlagValues values = needed;
    std::string value = another_value(*setting);
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    values["--limit"] = {setting->key + "=" + value};
    const LoadedConfig loaded = load_flags("relay", values, world.secrets);
    EXPECT_EQ(ConfigWorld::lines(loaded), Lines{}) << setting->key;
  }
}

TEST_F(SettingsTest, TheDefaultsAreThoseOfAnEmbedder) {
  const LoadedConfig loaded = world.load(file_with(kRelaySection, "", ""));
  ASSERT_EQ(ConfigWorld::lines(loaded), Lines{});
  const Configuration &made = loaded.configuration;
  EXPECT_EQ(fingerprint(made.engine), fingerprint(EngineConfig{}));
  const auto same = [](const auto &limits) {
    using Limits = std::decay_t<decltype(limits)>;
    for (const LimitField<Limits> &field : limit_fields<Limits>()) {
      EXPECT_EQ(limits.*field.field, field.standard()) << field.name;
    }
  };
  same(made.relays[0].limits);
  same(made.listeners[0].limits);
  same(made.senders[0].limits);
  EXPECT_EQ(made.relays[0].auth, RelayConfig{}.auth);
  EXPECT_EQ(made.listeners[0].transport, ClientConfig{}.transport);
  EXPECT_EQ(made.listeners[0].auth, ClientConfig{}.auth);
  EXPECT_EQ(made.listeners[0].resolver, ClientConfig{}.resolver);
  EXPECT_EQ(made.log_level, Configuration{}.log_level);
  EXPECT_EQ(made.log_format, Configuration{}.log_format);
}

TEST_F(SettingsTest, ALimitOfRelaysAndClientsHasOneRangeAndOneDefault) {
  for (const LimitField<RelayLimits> &one : limit_fields<RelayLimits>()) {
    for (const LimitField<ClientLimits> &other : limit_fields<ClientLimits>()) {
      if (one.name == other.name) {
        EXPECT_EQ(one.least, other.least) << one.name;
        EXPECT_EQ(one.most, other.most) << one.name;
        EXPECT_EQ(one.standard(), other.standard()) << one.name;
      }
    }
  }
}

TEST_F(SettingsTest, EachRowSaysWhatItIsFor) {
  std::set<std::string> known;
  for (const Section section : all_sections()) {
    for (const Setting *setting : settings_of(section)) {
      const std::string title = std::string(section_name(section)) + "." + setting->key;
      EXPECT_TRUE(known.insert(title).second) << title;
      EXPECT_GT(setting->sentence.size(), 10U) << title;
      EXPECT_TRUE(setting->standard.empty() != setting->example.empty()) << title;
      EXPECT_FALSE(setting->required && !setting->standard.empty()) << title;
    }
  }
}

TEST_F(SettingsTest, TheExampleIsRightAsItIsAndWithItsCommentsAsSettings) {
  const std::string text = example_config_file();
  EXPECT_EQ(ConfigWorld::lines(world.load(text)), Lines{});
  std::string whole = std::regex_replace(text, std::regex("(^|\n)#(?=[a-z_]+ = |\\[)"), "$1");
  for (const Section section : all_sections()) {
    for (const Setting *setting : settings_of(section)) {
      EXPECT_NE(whole.find("\n" + setting->key + " = "), std::string::npos) << setting->key;
    }
  }
  whole = std::regex_replace(whole, std::regex("bind = \\[(?=\"0)"), "bind = [\"unix:/run/x\", ",
                             std::regex_constants::format_first_only);
  const std::size_t last = whole.rfind("bind = [");
  whole.replace(last, 8, "bind = [\"unix:/run/y\", ");
  EXPECT_EQ(ConfigWorld::lines(world.load(whole)), Lines{});
}

} // namespace
} // namespace culvert::test
