// The table of settings: what may stand in which section, with its kind, default and range, and
// where its value goes.
//
// Constant after its first use, which must not happen on two threads at once for the first time;
// C++ guards that. A new setting is one row in settings.cpp and its row in
// tests/integration/settings_test.py.
#pragma once

#include "config/written.hpp"
#include "culvert/limits.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// The sections of a file, as bits: a row may belong to several.
enum Section : unsigned {
  kEngineSection = 1U << 0U,
  kLogSection = 1U << 1U,
  kPluginsSection = 1U << 2U,
  kLimitsSection = 1U << 3U,
  kAdminSection = 1U << 4U,
  kDnsSection = 1U << 5U,
  kRelaySection = 1U << 6U, // from here on a section may repeat
  kRelayRuleSection = 1U << 7U,
  kEntitySection = 1U << 8U,
  kEntityRuleSection = 1U << 9U,
  kListenerSection = 1U << 10U,
  kSenderSection = 1U << 11U,
};

/// The kinds of values. setting_values.cpp reads each from a file and from a flag.
enum class SettingKind : std::uint8_t {
  kText,
  kHosts, // a list; behind a flag with commas
  kPlugin,
  kPlugins,
  kCount,
  kShards, // a count, or auto
  kDuration,
  kSize,
  kTruth,
  kChoice,
  kFile,
  kKeyFile, // that only its owner and group may open
  kFolders,
  kAddresses, // to listen on
  kAdminAddress,
  kLoopbacks,   // a list
  kNameServers, // a list
  kTarget,
  kPublicAddress,
  kMode, // of a unix socket
  kResolve,
  kEntityPath,
  kRights,
  kRuleName,
  kRuleKey,
  kConnection,
  kProxy, // a URL, or none
  kCredentials,
};

/// What a value was read to; its kind says which members.
struct SettingValue {
  std::string text;
  std::vector<std::string> list;
  std::uint64_t number = 0; // milliseconds, bytes, a count, a mode, the place of a choice
  std::vector<HostPort> addresses;
  Rights rights;
  Secret secret;
  ConnectionString connection;
  ProxyConfig proxy;
};

/// Where values go while a section is read: those of its parts that the section has.
struct Draft {
  Configuration &made;
  SecretPolicy &policy;
  RelayLimits &relay_limits; // of every relay, like the next
  ClientLimits &client_limits;
  RelayConfig *relay = nullptr;
  EntityConfig *entity = nullptr;
  RuleConfig *rule = nullptr;
  ClientConfig *client = nullptr;
  ListenerConfig *listener = nullptr;
  SenderConfig *sender = nullptr;
  BindConfig *bind = nullptr; // of the relay or sender
};

struct Setting {
  unsigned sections = 0;
  std::string key;
  SettingKind kind = SettingKind::kText;
  std::string standard; // the default as the file has it; empty: none
  std::string example;  // a value for the example file where there is no default
  std::string sentence; // what it is for
  std::function<void(Draft &, SettingValue)> put;
  bool required = false;
  std::uint64_t least = 0, most = 0;   // of a count, a duration or a size
  std::vector<std::string> words = {}; // of a choice
  std::string unless = {}; // the key in whose presence a required setting may be left out

  [[nodiscard]] bool repeats() const;
};

const std::vector<Setting> &settings();
std::vector<const Setting *> settings_of(Section section);
/// nullptr: the section has none with this key.
const Setting *find_setting(Section section, std::string_view key);

/// "relay.entity.rule"
std::string_view section_name(Section section);
/// "[engine]", "[[relay.entity.rule]]"
std::string section_header(Section section);
std::vector<Section> all_sections();

} // namespace culvert
