#include "command.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <iterator>
#include <sched.h>
#include <set>
#include <sstream>

namespace culvert::command {
namespace {

constexpr unsigned kMostShards = 64;

struct Setting {
  std::string_view field; // of the engine's configuration
  const char *option;
};
constexpr Setting kSettings[] = {{"bind_mode", "--bind-mode"},
                                 {"ca_file", "--ca"},
                                 {"rendezvous_hosts", "--rendezvous-hosts"},
                                 {"the resolve entry", "--resolve"}};

bool in_word(std::string_view text, std::size_t at) {
  return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                              std::string_view("_-./").find(text[at]) != std::string_view::npos);
}

/// Where the text has these words of the engine: whole ones, and outside of what it quotes.
std::size_t find_words(std::string_view text, std::string_view words) {
  char quote = '\0';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = !in_word(text, at - 1);
    const bool ends = !in_word(text, at + 1);
    if (quote != '\0') {
      quote = text[at] == quote && ends ? '\0' : quote;
    } else if ((text[at] == '\'' || text[at] == '"') && begins) {
      quote = text[at];
    } else if (begins && text.substr(at).starts_with(words) && !in_word(text, at + words.size())) {
      return at;
    }
  }
  return std::string_view::npos;
}

/// The engine names a field of its configuration where this command has an option.
std::string as_option(std::string message) {
  for (const Setting &setting : kSettings) {
    const std::size_t at = find_words(message, setting.field);
    if (at != std::string::npos) {
      message.replace(at, setting.field.size(), setting.option);
    }
  }
  return message.starts_with("bind ") ? "--" + message : message;
}

/// The command's log: behind a line that names a setting of the engine, once for each, the option
/// that sets it here.
class CommandLog final : public Log {
public:
  explicit CommandLog(std::unique_ptr<Log> log) : log_(std::move(log)) {}
  [[nodiscard]] bool enabled(LogLevel level) const override { return log_->enabled(level); }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    log_->write(level, message, fields);
    for (const LogField &field : fields) {
      if (field.name == "why" && level <= LogLevel::kWarn) {
        hint(level, field.value);
      }
    }
  }

private:
  void hint(LogLevel level, std::string_view why) {
    for (std::size_t i = 0; i < std::size(kSettings); ++i) {
      if (find_words(why, kSettings[i].field) != std::string_view::npos &&
          !told_[i].exchange(true)) {
        log_->write(level, std::string(kSettings[i].field) + " is set with " + kSettings[i].option,
                    {});
      }
    }
  }

  const std::unique_ptr<Log> log_;
  std::array<std::atomic<bool>, std::size(kSettings)> told_{};
};

unsigned allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

std::string lower(std::string text) {
  for (char &c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

} // namespace

void add_common(CLI::App &app, Common &common) {
  app.add_option("--shards", common.shards,
                 "Event loops, each with a thread: a number, or auto (one a CPU)")
      ->type_name("N|auto")
      ->capture_default_str();
  app.add_option("--backend", common.backend,
                 "How the event loops reach the kernel: uring, epoll, or auto (epoll where "
                 "io_uring is not possible)")
      ->type_name("auto|uring|epoll")
      ->capture_default_str();
  app.add_option("--log-level", common.log_level, "error, warn, info, debug or trace (demo: warn)")
      ->type_name("LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", common.log_format, "text or json")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("--plugin-dir", common.plugin_directories,
                 "Where <id>.so is looked for; repeats. The first directory that has it wins; the "
                 "program's own directory comes last")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("--set", common.settings,
                 "A setting of a plugin, as plugins describe shows them; repeats, and adds to a "
                 "list. A secret is env:NAME, file:PATH or -")
      ->type_name("PLUGIN.KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--insecure-literal-secrets", common.literal_secrets,
               "Allow secrets on the command line, where every user of the machine can read them")
      ->disable_flag_override();
}

Rights read_rights(const std::string &text, const std::string &option) {
  Rights rights;
  std::istringstream words(text + ",");
  std::string word;
  std::set<std::string> known;
  if (text.empty()) {
    throw Refusal{kExitUsage, option + ": no right is named; write listen, send or manage"};
  }
  while (std::getline(words, word, ',')) {
    const std::string right = lower(word);
    if (!known.insert(right).second) {
      throw Refusal{kExitUsage, option + ": a right is named twice; write each once"};
    }
    if (right == "listen") {
      rights.listen = true;
    } else if (right == "send") {
      rights.send = true;
    } else if (right == "manage") {
      rights = {true, true, true};
    } else {
      // The word is not repeated: whoever mixed up the order has put the secret here.
      throw Refusal{kExitUsage, option + ": a right is unknown; write listen, send or manage"};
    }
  }
  return rights;
}

namespace {

/// Of a rule in a message: a long name may be a secret in the wrong place.
std::string rule_option(const std::string &name) {
  constexpr std::size_t kShortName = 24;
  return name.size() > kShortName ? "--rule" : "--rule " + name;
}

RuleConfig read_rule(const std::string &text, SecretReader &secrets) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos || first == 0) {
    throw Refusal{kExitUsage, "--rule: write NAME:RIGHTS:SECRET, for example "
                              "app:send:env:APP_KEY"};
  }
  RuleConfig rule;
  rule.name = text.substr(0, first);
  const std::string option = rule_option(rule.name);
  rule.rights = read_rights(text.substr(first + 1, second - first - 1), option);
  const std::string source = text.substr(second + 1);
  rule.primary = secrets.read(source, option);
  if (rule.primary.reveal().find(' ') != std::string_view::npos) {
    throw Refusal{SecretReader::fault_of(source),
                  option + ": the key holds a blank; write the key alone"};
  }
  return rule;
}

bool same(const Rights &one, const Rights &other) {
  return one.listen == other.listen && one.send == other.send && one.manage == other.manage;
}

void add_secondary(RuleConfig &first, RuleConfig second) {
  if (!same(first.rights, second.rights)) {
    throw Refusal{kExitUsage, rule_option(second.name) +
                                  ": the second key of a rule has the rights of the first; write "
                                  "the same rights, or another name"};
  }
  if (!first.secondary.empty()) {
    throw Refusal{kExitUsage,
                  rule_option(second.name) + ": a rule has at most two keys; leave the third out"};
  }
  first.secondary = std::move(second.primary);
}

} // namespace

std::vector<RuleConfig> read_rules(const std::vector<std::string> &texts, SecretReader &secrets) {
  std::vector<RuleConfig> rules;
  for (const std::string &text : texts) {
    RuleConfig rule = read_rule(text, secrets);
    const auto first = std::find_if(rules.begin(), rules.end(), [&rule](const RuleConfig &known) {
      return lower(known.name) == lower(rule.name);
    });
    if (first != rules.end()) {
      add_secondary(*first, std::move(rule));
    } else {
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

HostPort read_listening_address(const std::string &text) {
  Result<HostPort> parsed = HostPort::parse(text, "--bind");
  if (!parsed.ok()) {
    throw Refusal{kExitUsage, "--bind '" + text +
                                  "' is not ADDRESS:PORT; write 127.0.0.1:8080, 0.0.0.0:8080, "
                                  "[::]:8080 or unix:/PATH"};
  }
  return parsed.value();
}

unsigned read_bind_mode(const BindOptions &options) {
  const std::string &text = options.mode;
  if (text.empty()) {
    return 0;
  }
  const bool octal = text.size() >= 3 && text.size() <= 4 &&
                     text.find_first_not_of("01234567") == std::string::npos;
  const unsigned long mode = octal ? std::stoul(text, nullptr, 8) : 0;
  if (mode == 0 || mode > 0777) {
    throw Refusal{kExitUsage, "--bind-mode '" + text + "' is no mode of a file; write 0660"};
  }
  if (std::none_of(options.addresses.begin(), options.addresses.end(),
                   [](const std::string &address) { return address.starts_with("unix:"); })) {
    throw Refusal{kExitUsage, "--bind-mode is for a unix socket, and --bind " +
                                  options.addresses.front() + " is none; leave it out"};
  }
  return static_cast<unsigned>(mode);
}

void add_bind(CLI::App &app, BindOptions &options, const std::string &what_for) {
  app.add_option("--bind", options.addresses, what_for + "; repeats. [::]:PORT serves IPv4 too")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--bind-mode", options.mode,
                 "Who may connect to the unix sockets of --bind, as chmod writes it: 0660 for the "
                 "user and group (default: as the umask says)")
      ->type_name("MODE");
}

HostPort read_host_port(const std::string &text, const std::string &option) {
  Result<HostPort> parsed = HostPort::parse(text, option);
  if (!parsed.ok()) {
    throw Refusal{kExitUsage, parsed.status().message};
  }
  return parsed.value();
}

HostPort read_target(const std::string &text) {
  HostPort target = read_host_port(text, "--target");
  if (target.unix_path.empty() && target.port == 0) {
    throw Refusal{kExitUsage, "--target '" + text + "' has port 0; write the port it listens on"};
  }
  return target;
}

ConnectionString read_connection_string(const std::string &text, SecretReader &secrets) {
  const Secret secret = secrets.read(text, "--connection-string");
  Result<ConnectionString> parsed = ConnectionString::parse(secret.reveal());
  if (!parsed.ok()) {
    throw Refusal{SecretReader::fault_of(text), "--connection-string: " + parsed.status().message};
  }
  return std::move(parsed.value());
}

std::vector<std::string> read_list(const std::vector<std::string> &texts,
                                   const std::string &option) {
  std::vector<std::string> items;
  for (const std::string &text : texts) {
    std::istringstream words(text + ",");
    std::string word;
    while (std::getline(words, word, ',')) {
      if (word.empty()) {
        throw Refusal{kExitUsage, std::string(option).append(": '").append(text).append(
                                      "' has an empty item; write A,B")};
      }
      items.push_back(word);
    }
  }
  return items;
}

namespace {

unsigned read_shards(const std::string &text) {
  if (text == "auto") {
    return std::min(allowed_processors(), kMostShards);
  }
  const bool digits =
      !text.empty() && text.size() < 4 && text.find_first_not_of("0123456789") == std::string::npos;
  const unsigned shards = digits ? static_cast<unsigned>(std::stoul(text)) : 0;
  if (shards == 0 || shards > kMostShards) {
    throw Refusal{kExitUsage, "--shards: '" + text + "' is not 1 to 64; write a number or auto"};
  }
  return shards;
}

Backend read_backend(const std::string &text) {
  if (text == "auto") {
    return Backend::kAuto;
  }
  if (text == "uring") {
    return Backend::kUring;
  }
  if (text == "epoll") {
    return Backend::kEpoll;
  }
  throw Refusal{kExitUsage, "--backend: '" + text + "' is no backend; write auto, uring or epoll"};
}

std::string not_used(const std::string &id, const std::vector<std::string> &plugins) {
  std::string text = "--set: this command does not use the plugin '" + id + "'";
  for (const std::string &known : plugins) {
    text += (&known == &plugins.front() ? "; it uses " : ", ") + known;
  }
  return text;
}

/// A setting that is given again is a list, and goes on.
void add_setting(std::map<std::string, PluginSetting> &settings, const std::string &key,
                 const std::string &value) {
  const auto [place, first] = settings.emplace(key, value);
  if (first) {
    return;
  }
  const auto *before = std::get_if<std::string>(&place->second);
  std::istringstream words((before != nullptr ? *before + "," : std::string()) + value);
  if (before != nullptr) {
    place->second = std::vector<std::string>();
  }
  std::string word;
  while (std::getline(words, word, ',')) {
    std::get<std::vector<std::string>>(place->second).push_back(word);
  }
}

/// An error does not repeat the value: it may be a secret in the wrong place.
PluginSettings read_settings(const std::vector<std::string> &texts,
                             const std::vector<std::string> &plugins) {
  PluginSettings settings;
  for (const std::string &text : texts) {
    const std::string name = text.substr(0, text.find('='));
    const std::size_t dot = name.find('.');
    if (name.size() == text.size() || dot == std::string::npos || dot == 0 ||
        dot + 1 == name.size()) {
      throw Refusal{kExitUsage, "--set: write PLUGIN.KEY=VALUE, for example "
                                "resolver_dns.servers=10.0.0.2"};
    }
    const std::string id = name.substr(0, dot);
    if (std::find(plugins.begin(), plugins.end(), id) == plugins.end()) {
      throw Refusal{kExitUsage, not_used(id, plugins)};
    }
    add_setting(settings[id], name.substr(dot + 1), text.substr(name.size() + 1));
  }
  return settings;
}

} // namespace

EngineConfig read_engine(const Common &common, SecretReader &secrets,
                         const std::vector<std::string> &plugins) {
  EngineConfig config;
  config.shards = read_shards(common.shards);
  config.backend = read_backend(common.backend);
  config.plugin_directories = common.plugin_directories;
  config.plugin_settings = read_settings(common.settings, plugins);
  config.read_secret = [&secrets](const std::string &text,
                                  const std::string &setting) -> Result<Secret> {
    try {
      return secrets.read(text, "--set " + setting);
    } catch (const Refusal &refusal) {
      return refusal.exit_code == kExitUsage ? Status::config(refusal.sentence)
                                             : Status::machine(refusal.sentence);
    }
  };
  for (const std::string &id : plugins) {
    require(describe_plugin(config, id));
  }
  return config;
}

std::unique_ptr<Log> read_log(const Common &common) {
  static constexpr std::array<const char *, 5> kLevels{"error", "warn", "info", "debug", "trace"};
  const auto level = std::find(kLevels.begin(), kLevels.end(), common.log_level);
  if (level == kLevels.end()) {
    throw Refusal{kExitUsage, "--log-level: '" + common.log_level +
                                  "' is no level; write error, warn, info, debug or trace"};
  }
  if (common.log_format != "text" && common.log_format != "json") {
    throw Refusal{kExitUsage,
                  "--log-format: '" + common.log_format + "' is no format; write text or json"};
  }
  return std::make_unique<CommandLog>(
      make_stderr_log(static_cast<LogLevel>(level - kLevels.begin()),
                      common.log_format == "json" ? LogFormat::kJson : LogFormat::kText));
}

void check_common(const Common &common) {
  static_cast<void>(read_shards(common.shards));
  static_cast<void>(read_backend(common.backend));
  static_cast<void>(read_log(common));
}

void require(const Status &status) {
  if (!status.ok()) {
    // What was written, not what was found.
    const bool usage = status.source == Source::kConfig && status.code == Code::kConfig;
    throw Refusal{usage ? kExitUsage : kExitFailure, as_option(status.message)};
  }
}

} // namespace culvert::command
