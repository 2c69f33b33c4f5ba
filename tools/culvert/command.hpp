// What the subcommands of `culvert` share: options, secrets, one-line errors, and running an engine
// until a signal ends it. One thread; nothing here outlives main().
#pragma once

#include "culvert/engine.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace culvert::command {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

/// Options that stand behind every subcommand.
struct Common {
  std::string shards = "1";
  std::string backend = "auto";
  std::string log_level = "info";
  std::string log_format = "text";
  std::vector<std::string> plugin_directories;
  std::vector<std::string> settings; // PLUGIN.KEY=VALUE
  bool literal_secrets = false;
};
void add_common(CLI::App &app, Common &common);

/// What the arguments gave: a value, or the sentence and the exit code that end the program.
struct Refusal {
  int exit_code = kExitUsage;
  std::string sentence;
};

/// Reads secrets as the operator named them; standard input once. One newline at the end, "\n" or
/// "\r\n", does not belong to a secret. Of a file that others may read the log has a warning.
class SecretReader {
public:
  SecretReader(const Common &common, Log &log)
      : literals_allowed_(common.literal_secrets), log_(log) {}
  /// `text`: env:NAME, file:PATH or -; throws a Refusal that names `option`.
  Secret read(const std::string &text, const std::string &option);
  /// The exit code where what was read turns out wrong: only what stood on the command line itself
  /// is its fault, the rest is the machine's state.
  static int fault_of(const std::string &text);

private:
  bool literals_allowed_;
  Log &log_;
  std::string stdin_reader_; // the option that standard input was read for
};

/// A warning with the command that mends it, where the file of a secret is open to other users.
void warn_of_readers(const std::string &path, Log &log);
/// Each NAME:RIGHTS:SECRET; the second one of a name is its secondary key. Throws a Refusal.
std::vector<RuleConfig> read_rules(const std::vector<std::string> &texts, SecretReader &secrets);
/// throws a Refusal
Rights read_rights(const std::string &text, const std::string &option);
HostPort read_host_port(const std::string &text, const std::string &option);
HostPort read_listening_address(const std::string &text);
/// Where a relay or sender listens: --bind, which repeats, and --bind-mode.
struct BindOptions {
  std::vector<std::string> addresses;
  std::string mode; // octal; empty: not given
};
unsigned read_bind_mode(const BindOptions &options);
void add_bind(CLI::App &app, BindOptions &options, const std::string &what_for);
/// Into a RelayConfig or SenderConfig.
template <typename Config> void read_bind(const BindOptions &options, Config &config) {
  for (const std::string &text : options.addresses) {
    config.also_bind.push_back(read_listening_address(text));
  }
  config.bind = config.also_bind.front();
  config.also_bind.erase(config.also_bind.begin());
  config.bind_mode = read_bind_mode(options);
}
/// Something to connect to: port 0 is refused.
HostPort read_target(const std::string &text);
ConnectionString read_connection_string(const std::string &text, SecretReader &secrets);
/// "a,b" and repeated options become one list; empty items are refused.
std::vector<std::string> read_list(const std::vector<std::string> &texts,
                                   const std::string &option);
/// Also for a subcommand that needs none of them: a mistake is not passed over.
void check_common(const Common &common);
/// `plugins`: the ids this command uses. A setting of another is refused, and each of them is
/// loaded in a child process first, so that one that crashes or exits is told by name. The secrets
/// among the settings are read by `secrets` when the engine is made.
EngineConfig read_engine(const Common &common, SecretReader &secrets,
                         const std::vector<std::string> &plugins);
std::unique_ptr<Log> read_log(const Common &common);
/// Turns an engine's failure into a Refusal and throws it: Source::kConfig is wrong usage.
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
/// As many open files as this process may have: a tunnel takes two or three.
void raise_open_files(Log &log);
/// An engine in a process prepared for it: both of the above.
std::unique_ptr<Engine> make_engine(const EngineConfig &config, Log &log);
/// Waits for a signal for at most `timeout_ms`; its number, or 0 when none came.
int wait_for_signal(unsigned timeout_ms);
/// Serves until such a signal; the first drains, a second one ends at once.
int run_until_signal(Engine &engine, const std::vector<RoleId> &roles, Log &log);

// --- the subcommands: each adds itself and runs when chosen --------------------------------------
using Run = std::function<int()>;
Run add_relay(CLI::App &parent, Common &common);
Run add_listen(CLI::App &parent, Common &common);
Run add_connect(CLI::App &parent, Common &common);
Run add_setup(CLI::App &parent, Common &common);
Run add_sas(CLI::App &parent, Common &common);
Run add_plugins(CLI::App &parent, Common &common);
Run add_demo(CLI::App &parent, Common &common);

} // namespace culvert::command
