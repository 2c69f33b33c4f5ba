// The command `culvert`: arguments in, an engine out. It uses the embedder's API alone.

#include "command.hpp"

#include <iostream>

namespace {

/// One line, always: CLI11's sentences may come with a hint on a second one.
std::string one_line(std::string text) {
  const std::size_t end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end);
}

std::string chosen(const CLI::App &app) {
  std::string words = app.get_name();
  for (const CLI::App *command : app.get_subcommands()) {
    words += " " + chosen(*command);
  }
  return words;
}

} // namespace

int main(int argc, char **argv) {
  using namespace culvert::command;
  CLI::App app{
      "Culvert carries TCP connections to one fixed target through a relay that both sides "
      "dial out to.",
      "culvert"};
  app.set_version_flag("--version", "culvert " CULVERT_VERSION);
  app.require_subcommand(1);
  Common common;
  using Add = Run (*)(CLI::App &, Common &);
  std::vector<std::pair<CLI::App *, Run>> commands;
  for (const Add add : {add_relay, add_listen, add_connect, add_sas, add_plugins, add_demo}) {
    Run run = add(app, common);
    commands.emplace_back(app.get_subcommands({}).back(), std::move(run));
  }
  try {
    app.parse(argc, argv);
    for (const auto &[command, run] : commands) {
      if (command->parsed()) {
        return run();
      }
    }
  } catch (const CLI::Success &success) {
    return app.exit(success); // --help and --version
  } catch (const CLI::ParseError &error) {
    const std::string words = chosen(app);
    std::cerr << words << ": " << one_line(error.what()) << "; see " << words << " --help\n";
    return kExitUsage;
  } catch (const Refusal &refusal) {
    std::cerr << chosen(app) << ": " << refusal.sentence << '\n';
    return refusal.exit_code;
  }
  return kExitUsage;
}
