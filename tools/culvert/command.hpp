// What the subcommands of `culvert` share: flags, one-line errors, and running an engine
// until a signal ends it. One thread; nothing here outlives main().
#pragma once

#include "culvert/config_file.hpp"
#include "culvert/engine.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace culvert::command {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

/// The flags that a subcommand was given. Those of settings come from the table of settings.
struct Flags {
  std::map<std::string, std::string> one;               // a flag that is given once
  std::map<std::string, std::vector<std::string>> many; // one that repeats
  std::map<std::string, bool> truths;                   // one without a value

  [[nodiscard]] FlagValues values() const;
};
/// Those of a section of the settings: "relay".
void add_settings(CLI::App &app, Flags &flags, const std::string &section);
/// One that repeats and is no setting of its own.
CLI::Option *add_repeated(CLI::App &app, Flags &flags, const std::string &flag,
                          const std::string &sentence);
/// Those that stand behind every subcommand but up and check, and --limit for one that runs roles.
void add_common(CLI::App &app, Flags &flags);
void add_limit(CLI::App &app, Flags &flags);

/// What the arguments gave: a value, or the sentence and the exit code that end the program.
struct Refusal {
  int exit_code = kExitUsage;
  std::string sentence;
};

/// Something to connect to: port 0 is refused. Throws a Refusal.
HostPort read_target(const std::string &text);
ConnectionString read_connection_string(const std::string &text, SecretReader &secrets);
/// What the flags say, for `section` as load_flags() has it. The first mistake is a Refusal.
LoadedConfig read_flags(const Flags &flags, const std::string &section, SecretReader &secrets);
/// Listeners and senders that say nothing of a proxy get the one of HTTPS_PROXY, without it for the
/// hosts of NO_PROXY. A variable that holds no proxy is a mistake.
void use_proxy_of_environment(LoadedConfig &loaded);
/// `plugins`: the ids this command uses. A setting of another is refused, and each of them is
/// loaded in a child process first, so that one that crashes or exits is told by name.
void check_plugins(const EngineConfig &engine, const std::vector<std::string> &plugins);
/// The engine of a subcommand without a role of its own. Its settings' secrets are read by
/// `secrets` when the engine is made.
EngineConfig read_engine(const Flags &flags, SecretReader &secrets,
                         const std::vector<std::string> &plugins);

/// How an operator sets what the engine names: with a flag, or with a key of the file.
enum class Speech : std::uint8_t { kFlags, kKeys };
/// The sentence of the engine with the operator's words.
std::string in_words_of(Speech speech, std::string message);
std::unique_ptr<Log> make_log(const Configuration &configuration, Speech speech);
/// kExitUsage: what was written is wrong; kExitFailure: what was found.
int exit_code_of(const Status &status);
/// Turns an engine's failure into a Refusal and throws it.
void require(const Status &status);
template <typename T> T require(Result<T> result) {
  if (!result.ok()) {
    require(result.status());
  }
  return std::move(result.value());
}

/// "culvert sas token", as far as it was recognized.
std::string chosen_words(const CLI::App &app);
/// An option that was given an empty value, as an unset variable of a script gives it: a Refusal.
void refuse_empty_values(const CLI::App &app);
/// A connection string where something else is expected would be repeated by that option's error,
/// or be a path: a Refusal that repeats nothing.
void refuse_misplaced_secrets(int argc, char **argv);
/// One line about arguments that cannot be parsed. It repeats nothing that could be a secret.
std::string usage_error(const CLI::App &app, const CLI::ParseError &error);

/// The one line on stderr about why the program ends; dropped when its reader takes nothing for a
/// second, because the exit code must come.
void say_why(const std::string &line);
/// Sends on what was printed; throws a Refusal when standard output does not take it.
void finish_output();

/// Blocks SIGTERM, SIGINT and SIGHUP (unless nohup ignores it) in this thread and those it starts;
/// call before an engine is made.
void block_signals();
/// As many open files as this process may have: a tunnel takes two or three. A warning if they are
/// few.
void raise_open_files(Log &log);
/// An engine in a process prepared for it: both of the above.
std::unique_ptr<Engine> make_engine(const EngineConfig &config, Log &log);
/// What became of a reload, in sentences for whoever asked.
struct ReloadAnswer {
  bool reloaded = false;
  std::vector<std::string> sentences;
};
/// What a process serves until a signal.
struct Serving {
  Engine &engine;
  const std::vector<RoleId> &roles; // as they are at each moment
  unsigned shards;
  std::uint64_t drain_grace_ms;
  Log &log;
  std::function<ReloadAnswer()> reload; // none: SIGHUP ends the process, too
};
/// Serves until such a signal; the first drains, a second one ends at once. SIGHUP reloads, on this
/// thread, and so does the admin endpoint; while the process drains it has no
/// effect. Tells a service manager of all this.
int run_until_signal(const Serving &serving);
/// The same for a process without an engine, which has nothing to drain.
void run_until_signal(Log &log, const std::function<void()> &reload);

// --- the subcommands: each adds itself and runs when chosen --------------------------------------
using Run = std::function<int()>;
Run add_relay(CLI::App &parent, Flags &flags);
Run add_listen(CLI::App &parent, Flags &flags);
Run add_connect(CLI::App &parent, Flags &flags);
Run add_up(CLI::App &parent, Flags &flags);
Run add_run(CLI::App &parent, Flags &flags);
Run add_hosts(CLI::App &parent, Flags &flags);
Run add_dns(CLI::App &parent, Flags &flags);
Run add_check(CLI::App &parent, Flags &flags);
Run add_config(CLI::App &parent, Flags &flags);
Run add_setup(CLI::App &parent, Flags &flags);
Run add_sas(CLI::App &parent, Flags &flags);
Run add_plugins(CLI::App &parent, Flags &flags);
Run add_status(CLI::App &parent, Flags &flags);
Run add_reload(CLI::App &parent, Flags &flags);
Run add_demo(CLI::App &parent, Flags &flags);
Run add_document(CLI::App &parent, Flags &flags);

} // namespace culvert::command
