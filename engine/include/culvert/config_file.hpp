// The settings of a process that runs roles: read from a file, or from the flags of a command.
//
// One table describes every setting (config/settings.cpp). The reader of files, the reader of
// flags and the example file are made from it, so a flag and a key are never different.
//
// Plain functions and values for one thread. The secrets that a configuration holds are its own.
#pragma once

#include "culvert/config.hpp"
#include "culvert/log.hpp"
#include "culvert/secret_reader.hpp"
#include "culvert/status.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// The DNS responder of a process, which leads the names of endpoints to their senders.
struct DnsConfig {
  std::vector<HostPort> bind;      // loopback addresses; none: there is no responder
  std::vector<HostPort> upstreams; // addresses of name servers; none: those of the system
  std::uint64_t ttl_ms = 0;        // of its own answers
};

/// What a process runs. The names of roles of one kind are different from each other.
struct Configuration {
  EngineConfig engine; // its read_secret uses the SecretReader, which must live longer
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::vector<RelayConfig> relays;
  std::vector<ListenerConfig> listeners;
  std::vector<SenderConfig> senders;
  DnsConfig dns;
};

/// A place in a file, from 1 on; 0: the file as a whole, or a flag.
struct ConfigPlace {
  unsigned line = 0;
  unsigned column = 0;
  [[nodiscard]] bool operator<(const ConfigPlace &other) const {
    return line != other.line ? line < other.line : column < other.column;
  }
};

/// The status says what is wrong and what to write. Source::kLocal: it is well written, and
/// something of this machine is missing.
struct ConfigMistake {
  ConfigPlace place;
  Status status;
};

/// Where a role and its settings stand. Of flags every place is 0.
struct RolePlaces {
  ConfigPlace table;
  std::map<std::string, ConfigPlace> keys; // those that were read without a mistake
};

/// A configuration is of use only if there is no mistake.
struct LoadedConfig {
  Configuration configuration;
  std::vector<ConfigMistake> mistakes; // in the order of their places
  std::vector<ConfigMistake> warnings; // what is allowed and hardly meant; in the same order
  RolePlaces process;                  // keys of the sections that are no role's, but [dns]
  RolePlaces dns;                      // keys of [dns]
  std::vector<RolePlaces> relays;      // as in the configuration, like the next two
  std::vector<RolePlaces> listeners;
  std::vector<RolePlaces> senders;
  std::map<std::string, ConfigPlace> plugins; // [plugin."ID"], by id
};

/// Reads a file (TOML, at most 1 MiB, at most 1,000 roles) and reports every mistake in it. Reads
/// the secrets that it names, and the mode of private keys; opens nothing else. Relative paths
/// begin in the file's folder. The policy of the reader becomes that of the file.
LoadedConfig load_config_file(const std::string &path, SecretReader &secrets);

/// The names of endpoints that lead to their senders, in lower case without a dot at the end, each
/// with its IPv4 loopback address: those whose sender listens at such an address, with the
/// endpoint's own port.
std::map<std::string, std::string> redirected_names(const std::vector<SenderConfig> &senders);

/// A file with every setting, its default and its range, as comments where it has a default.
std::string example_config_file();

/// A setting as a key of the file, for a page about the file.
struct SettingKey {
  std::string section; // "[engine]" or, of one that repeats, "[[relay.rule]]"
  std::string key;
  std::string value;     // as the file has it
  std::string sentence;  // what it is for, and its range
  bool required = false; // then the value is an example
  bool standard = false; // the value is the default; otherwise an example
};
/// All settings, by section.
std::vector<SettingKey> setting_keys();

/// A setting as a flag of a command.
struct SettingFlag {
  std::string flag;     // "--certificate"
  std::string form;     // of its value, "FILE"; empty: it takes none
  std::string standard; // the default; empty: none
  std::string sentence; // what it is for
  bool required = false;
  bool repeats = false;
};
/// Those of a section of the file: "engine", "log", "plugins", "admin", "relay", "listener" or
/// "sender".
std::vector<SettingFlag> setting_flags(std::string_view section);

/// The values of flags as they were given, by flag ("--bind"); a flag without a value has "".
using FlagValues = std::map<std::string, std::vector<std::string>>;
/// What a command that runs one role was given: `section` is "relay", "listener" or "sender", or
/// empty for the engine alone. Besides the flags of settings it knows --limit KEY=VALUE,
/// --set PLUGIN.KEY=VALUE and, of a relay, --entity PATH and --rule NAME:RIGHTS:SECRET.
LoadedConfig load_flags(std::string_view section, const FlagValues &values, SecretReader &secrets);
/// Each NAME:RIGHTS:SECRET; the second one of a name gives that rule's secondary key.
Result<std::vector<RuleConfig>> rules_of_flags(const std::vector<std::string> &texts,
                                               SecretReader &secrets);
/// Words of rights; `setting` is for the failure, which does not repeat them: one may be a secret.
Result<Rights> rights_of_words(const std::vector<std::string> &words, const std::string &setting);
/// "a,b" and repeated flags become one list; empty items are refused.
Result<std::vector<std::string>> list_of_flags(const std::vector<std::string> &texts,
                                               const std::string &setting);

/// A text that is different when anything in the configuration is, including its secrets and the
/// content of the files that it names (it has a digest of these). For nothing but comparing.
std::string fingerprint(const EngineConfig &config);
std::string fingerprint(const RelayConfig &config);
std::string fingerprint(const ListenerConfig &config);
std::string fingerprint(const SenderConfig &config);

} // namespace culvert
