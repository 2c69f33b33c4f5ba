// The command `culvert`: arguments in, an engine out. It uses the embedder's API alone.

#include "command.hpp"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace culvert::command;
using Commands = std::vector<std::pair<CLI::App *, Run>>;

/// A log reader that goes away must not take the tunnels along, and no socket may become number 2,
/// where the log goes. What was closed reads as empty and refuses to be written.
void guard_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  int opened = 0;
  do {
    opened = open("/dev/null", O_RDONLY); // takes the lowest free number
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened >= 0) {
    close(opened);
  }
}

int run_chosen(CLI::App &app, int argc, char **argv, const Commands &commands, const Flags &flags) {
  int code = kExitUsage;
  try {
    refuse_misplaced_secrets(argc, argv);
    app.parse(argc, argv);
    refuse_empty_values(app);
    culvert::SecretReader secrets;
    read_flags(flags, "", secrets); // also for a subcommand that needs none of them
    for (const auto &[command, run] : commands) {
      if (command->parsed()) {
        code = run();
      }
    }
  } catch (const CLI::Success &success) {
    code = app.exit(success); // --help and --version
  }
  finish_output();
  return code;
}

} // namespace

int main(int argc, char **argv) {
  guard_standard_streams();
  CLI::App app{
      "Culvert carries TCP connections to one fixed target through a relay that both sides "
      "dial out to.",
      "culvert"};
  app.set_version_flag("--version", "culvert " CULVERT_VERSION);
  app.require_subcommand(1);
  Flags flags;
  using Add = Run (*)(CLI::App &, Flags &);
  Commands commands;
  for (const Add add : {add_relay, add_listen, add_connect, add_up, add_run, add_hosts, add_dns,
                        add_check, add_config, add_status, add_reload, add_setup, add_sas,
                        add_plugins, add_demo, add_document}) {
    Run run = add(app, flags);
    commands.emplace_back(app.get_subcommands({}).back(), std::move(run));
  }
  try {
    return run_chosen(app, argc, argv, commands, flags);
  } catch (const CLI::ParseError &error) {
    say_why(usage_error(app, error));
    return kExitUsage;
  } catch (const Refusal &refusal) {
    say_why(chosen_words(app) + ": " + refusal.sentence);
    return refusal.exit_code;
  }
}
