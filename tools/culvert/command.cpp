#include "command.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <iterator>

namespace culvert::command {
namespace {

struct Setting {
  std::string_view field; // of the engine's configuration
  const char *flag;
  const char *key;
};
constexpr Setting kSettings[] = {{"bind_mode", "--bind-mode", "bind_mode"},
                                 {"rendezvous_hosts", "--rendezvous-host", "rendezvous_hosts"},
                                 {"proxy_credentials", "--proxy-credentials", "proxy_credentials"},
                                 {"the resolve entry", "--resolve", "the resolve entry"}};

const char *word_of(Speech speech, const Setting &setting) {
  return speech == Speech::kFlags ? setting.flag : setting.key;
}

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

/// The command's log: behind a line that names a setting of the engine, once for each, the flag or
/// key that sets it here.
class CommandLog final : public Log {
public:
  CommandLog(std::unique_ptr<Log> log, Speech speech) : log_(std::move(log)), speech_(speech) {}
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
      const char *const set_with = word_of(speech_, kSettings[i]);
      if (set_with != kSettings[i].field &&
          find_words(why, kSettings[i].field) != std::string_view::npos &&
          !told_[i].exchange(true)) {
        log_->write(level, std::string(kSettings[i].field) + " is set with " + set_with, {});
      }
    }
  }

  const std::unique_ptr<Log> log_;
  const Speech speech_;
  std::array<std::atomic<bool>, std::size(kSettings)> told_{};
};

std::string not_used(const std::string &id, const std::vector<std::string> &plugins) {
  std::string text = "--set: this command does not use the plugin '" + id + "'";
  for (const std::string &known : plugins) {
    text += (&known == &plugins.front() ? "; it uses " : ", ") + known;
  }
  return text;
}

} // namespace

std::string in_words_of(Speech speech, std::string message) {
  for (const Setting &setting : kSettings) {
    const std::size_t at = find_words(message, setting.field);
    if (at != std::string::npos) {
      message.replace(at, setting.field.size(), word_of(speech, setting));
    }
  }
  return speech == Speech::kFlags && message.starts_with("bind ") ? "--" + message : message;
}

FlagValues Flags::values() const {
  FlagValues values = many;
  for (const auto &[flag, text] : one) {
    if (!text.empty()) {
      values[flag] = {text};
    }
  }
  for (const auto &[flag, given] : truths) {
    if (given) {
      values[flag] = {"true"};
    }
  }
  return values;
}

void add_settings(CLI::App &app, Flags &flags, const std::string &section) {
  for (const SettingFlag &setting : setting_flags(section)) {
    if (setting.form.empty()) {
      app.add_flag(setting.flag, flags.truths[setting.flag], setting.sentence)
          ->disable_flag_override();
      continue;
    }
    CLI::Option *option =
        setting.repeats ? add_repeated(app, flags, setting.flag, setting.sentence)
                        : app.add_option(setting.flag, flags.one[setting.flag], setting.sentence);
    option->type_name(setting.form)->required(setting.required);
    if (!setting.standard.empty()) {
      option->default_str(setting.standard);
    }
  }
}

CLI::Option *add_repeated(CLI::App &app, Flags &flags, const std::string &flag,
                          const std::string &sentence) {
  return app.add_option(flag, flags.many[flag], sentence + "; repeats")->allow_extra_args(false);
}

void add_common(CLI::App &app, Flags &flags) {
  for (const char *section : {"engine", "log", "plugins"}) {
    add_settings(app, flags, section);
  }
  add_repeated(app, flags, "--set",
               "A setting of a plugin, as plugins describe shows them; adds to a list. A secret is "
               "env:NAME, file:PATH or -")
      ->type_name("PLUGIN.KEY=VALUE");
}

void add_limit(CLI::App &app, Flags &flags) {
  add_repeated(app, flags, "--limit", "A bound, as [limits] of culvert config example has it")
      ->type_name("KEY=VALUE");
}

HostPort read_target(const std::string &text) {
  HostPort target = require(HostPort::parse(text, "--target"));
  if (target.unix_path.empty() && target.port == 0) {
    throw Refusal{kExitUsage, "--target '" + text + "' has port 0; write the port it listens on"};
  }
  return target;
}

ConnectionString read_connection_string(const std::string &text, SecretReader &secrets) {
  const Secret secret = require(secrets.read(text, "--connection-string"));
  Result<ConnectionString> parsed = ConnectionString::parse(secret.reveal());
  if (!parsed.ok()) {
    throw Refusal{is_secret_reference(text) ? kExitFailure : kExitUsage,
                  "--connection-string: " + parsed.status().message};
  }
  return std::move(parsed.value());
}

LoadedConfig read_flags(const Flags &flags, const std::string &section, SecretReader &secrets) {
  LoadedConfig loaded = load_flags(section, flags.values(), secrets);
  if (!loaded.mistakes.empty()) {
    require(loaded.mistakes.front().status);
  }
  return loaded;
}

void check_plugins(const EngineConfig &engine, const std::vector<std::string> &plugins) {
  for (const auto &[id, settings] : engine.plugin_settings) {
    if (std::find(plugins.begin(), plugins.end(), id) == plugins.end()) {
      throw Refusal{kExitUsage, not_used(id, plugins)};
    }
  }
  for (const std::string &id : plugins) {
    require(describe_plugin(engine, id));
  }
}

EngineConfig read_engine(const Flags &flags, SecretReader &secrets,
                         const std::vector<std::string> &plugins) {
  EngineConfig engine = read_flags(flags, "", secrets).configuration.engine;
  check_plugins(engine, plugins);
  return engine;
}

std::unique_ptr<Log> make_log(const Configuration &configuration, Speech speech) {
  return std::make_unique<CommandLog>(
      make_stderr_log(configuration.log_level, configuration.log_format), speech);
}

int exit_code_of(const Status &status) {
  return status.source == Source::kConfig && status.code == Code::kConfig ? kExitUsage
                                                                          : kExitFailure;
}

void require(const Status &status) {
  if (!status.ok()) {
    throw Refusal{exit_code_of(status), in_words_of(Speech::kFlags, status.message)};
  }
}

} // namespace culvert::command
