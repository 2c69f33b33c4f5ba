// The commands that judge and explain configuration files: check and config example.

#include "private_names.hpp"
#include "roles.hpp"
#include "service.hpp"

#include <algorithm>
#include <iostream>

namespace culvert::command {
namespace {

/// What the plugins say of their settings, each loaded in a child process first.
void check_plugin_tables(LoadedConfig &loaded) {
  const EngineConfig &engine = loaded.configuration.engine;
  for (const std::string &id : plugins_of(loaded.configuration)) {
    EngineConfig alone = engine;
    std::erase_if(alone.plugin_settings, [&id](const auto &each) { return each.first != id; });
    Status status = describe_plugin(engine, id).status_or_ok();
    if (status.ok()) {
      status = check_plugin_settings(alone);
    }
    if (!status.ok()) {
      const auto place = loaded.plugins.find(id);
      loaded.mistakes.push_back(
          {place == loaded.plugins.end() ? ConfigPlace{} : place->second, std::move(status)});
    }
  }
}

/// Asks the engine, which looks names up, reads certificates and asks for tokens.
void resolve(LoadedConfig &loaded) {
  const std::unique_ptr<Log> log = make_log(loaded.configuration, Speech::kKeys);
  EngineConfig config = loaded.configuration.engine;
  config.admin = {}; // a running process may have its address, and it is judged already
  const std::unique_ptr<Engine> engine = require(Engine::create(config, *log));
  for (ConfigMistake &mistake : Roles::check(*engine, loaded)) {
    loaded.mistakes.push_back(std::move(mistake));
  }
}

std::string counted(std::size_t count, const std::string &what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// Where the names of endpoints lead, and whether a command of this user can have them.
void print_names(const Configuration &configuration) {
  const RedirectedNames names = redirected_names(configuration.senders);
  for (const auto &[name, address] : names) {
    std::cout << name << " leads to " << address << '\n';
  }
  if (!names.empty()) {
    const Status possible = try_private_names();
    std::cout << "culvert run: "
              << (possible.ok() ? "a command can have these names here" : possible.message) << '\n';
  }
}

int check(const std::string &file, bool resolving) {
  SecretReader secrets;
  const ConfigSource source{Speech::kKeys, file, {}};
  LoadedConfig loaded = load_config_file(file, secrets);
  use_proxy_of_environment(loaded);
  check_plugin_tables(loaded);
  if (resolving && loaded.mistakes.empty()) {
    resolve(loaded);
  }
  std::stable_sort(
      loaded.mistakes.begin(), loaded.mistakes.end(),
      [](const ConfigMistake &one, const ConfigMistake &other) { return one.place < other.place; });
  for (const ConfigMistake &warning : loaded.warnings) {
    say_why(warning_of(source, warning));
  }
  for (const ConfigMistake &mistake : loaded.mistakes) {
    say_why(line_of(source, mistake));
  }
  if (!loaded.mistakes.empty()) {
    return kExitFailure;
  }
  const Configuration &found = loaded.configuration;
  std::cout << file << " has no mistake: " << counted(found.relays.size(), "relay") << ", "
            << counted(found.listeners.size(), "listener") << ", "
            << counted(found.senders.size(), "sender") << '\n';
  print_names(found);
  return kExitOk;
}

} // namespace

Run add_check(CLI::App &parent, Flags &) {
  auto file = std::make_shared<std::string>();
  auto resolving = std::make_shared<bool>(false);
  CLI::App *app = parent.add_subcommand(
      "check", "Report every mistake in a configuration file; starts nothing");
  app->add_option("--config", *file, "The file")->type_name("FILE")->required();
  app->add_flag("--resolve", *resolving, "Also look names up, read certificates and ask for tokens")
      ->disable_flag_override();
  return [file, resolving] { return check(*file, *resolving); };
}

Run add_config(CLI::App &parent, Flags &) {
  CLI::App *app = parent.add_subcommand("config", "See what a configuration file may have");
  app->require_subcommand(1);
  app->add_subcommand("example", "Print a file with every setting, its default and its range");
  return [] {
    std::cout << example_config_file();
    return kExitOk;
  };
}

} // namespace culvert::command
