// The commands that lead the names of endpoints into the tunnel: run for one command, hosts for the
// whole machine.

#include "names.hpp"
#include "command.hpp"
#include "hosts_file.hpp"
#include "private_names.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <unistd.h>

namespace culvert::command {
namespace {

constexpr int kExitNotFound = 127; // as a shell has it, like the next
constexpr int kExitNotRunnable = 126;

RedirectedNames names_of_file(const std::string &path) {
  RedirectedNames names = redirected_names(read_endpoints(path).senders);
  if (names.empty()) {
    throw Refusal{kExitFailure, "no sender of " + path +
                                    " has an endpoint whose name leads to it: it must listen at an "
                                    "IPv4 loopback address with the endpoint's own port; write "
                                    "endpoint = \"NAME:PORT\" into a [[sender]], without bind"};
  }
  return names;
}

/// Returns only if it cannot.
int become(std::vector<std::string> words) {
  std::vector<char *> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string &word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL); // the command is not to inherit what main() has set
  execvp(arguments.front(), arguments.data());
  const int error = errno;
  throw Refusal{error == ENOENT ? kExitNotFound : kExitNotRunnable,
                "cannot run '" + words.front() + "': " + std::strerror(error)};
}

} // namespace

Configuration read_endpoints(const std::string &path) {
  SecretReader secrets;
  LoadedConfig loaded = load_config_file(path, secrets);
  for (const ConfigMistake &mistake : loaded.mistakes) {
    if (mistake.status.source != Source::kLocal || mistake.place.line == 0) {
      throw Refusal{kExitFailure, mistake.status.message + "; see culvert check --config " + path};
    }
  }
  loaded.configuration.engine.read_secret = nullptr; // the reader ends here
  return std::move(loaded.configuration);
}

Run add_run(CLI::App &parent, Flags &) {
  auto file = std::make_shared<std::string>();
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App *app = parent.add_subcommand(
      "run", "Run a command for which the endpoints of a configuration file lead into the tunnel");
  app->add_option("--config", *file, "The file of the senders, which culvert up runs")
      ->type_name("FILE")
      ->required();
  app->add_option("COMMAND", *words, "The command and its arguments, behind --")->required();
  return [file, words] {
    require(enter_private_names(names_of_file(*file)));
    return become(*words);
  };
}

Run add_hosts(CLI::App &parent, Flags &) {
  auto config = std::make_shared<std::string>();
  auto hosts = std::make_shared<std::string>("/etc/hosts");
  auto remove = std::make_shared<bool>(false);
  CLI::App *app = parent.add_subcommand(
      "hosts", "Lead the endpoints of a configuration file into the tunnel, for the whole machine");
  CLI::Option *apply = app->add_option("--apply", *config,
                                       "Write the names of this file's senders into the hosts "
                                       "file, as one marked block")
                           ->type_name("FILE");
  app->add_flag("--remove", *remove, "Take the block away")->excludes(apply);
  app->add_option("--hosts-file", *hosts, "The hosts file")
      ->type_name("FILE")
      ->capture_default_str();
  return [config, hosts, remove] {
    if (config->empty() && !*remove) {
      throw Refusal{kExitUsage, "write --apply FILE or --remove"};
    }
    const RedirectedNames names = *remove ? RedirectedNames{} : names_of_file(*config);
    require(*remove ? remove_from_hosts_file(*hosts) : apply_to_hosts_file(*hosts, names));
    for (const auto &[name, address] : names) {
      std::cout << address << ' ' << name << '\n';
    }
    return kExitOk;
  };
}

} // namespace culvert::command
