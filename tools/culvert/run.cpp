// The commands that run roles: relay, listen and connect by flags, up by a file.

#include "service.hpp"

namespace culvert::command {
namespace {

/// Runs one role, for a section of the settings.
Run by_flags(CLI::App &app, Flags &flags, const std::string &section) {
  add_limit(app, flags);
  add_settings(app, flags, "admin");
  add_common(app, flags);
  return [&flags, section] {
    return serve({Speech::kFlags, "", [&flags, section](SecretReader &secrets) {
                    return load_flags(section, flags.values(), secrets);
                  }});
  };
}

} // namespace

Run add_relay(CLI::App &parent, Flags &flags) {
  CLI::App *app = parent.add_subcommand("relay", "Run a relay: where senders and listeners meet");
  add_settings(*app, flags, "relay");
  add_repeated(*app, flags, "--entity", "A path that listeners and senders meet at")
      ->type_name("PATH")
      ->required();
  add_repeated(*app, flags, "--rule",
               "A key and its rights, for every entity: RIGHTS is a comma list of listen, send, "
               "manage; SECRET is env:NAME, file:PATH or -; a second one of the same name gives "
               "that rule's secondary key")
      ->type_name("NAME:RIGHTS:SECRET")
      ->required();
  return by_flags(*app, flags, "relay");
}

Run add_listen(CLI::App &parent, Flags &flags) {
  CLI::App *app = parent.add_subcommand(
      "listen", "Run a listener beside the target: what comes through the relay goes to it");
  add_settings(*app, flags, "listener");
  return by_flags(*app, flags, "listener");
}

Run add_connect(CLI::App &parent, Flags &flags) {
  CLI::App *app = parent.add_subcommand(
      "connect", "Run a sender beside the app: local connections go to the target");
  add_settings(*app, flags, "sender");
  return by_flags(*app, flags, "sender");
}

Run add_up(CLI::App &parent, Flags &) {
  auto file = std::make_shared<std::string>();
  CLI::App *app =
      parent.add_subcommand("up", "Run all relays, listeners and senders of a configuration file");
  app->add_option("--config", *file, "The file; see culvert config example")
      ->type_name("FILE")
      ->required();
  return [file] {
    return serve({Speech::kKeys, *file,
                  [file](SecretReader &secrets) { return load_config_file(*file, secrets); }});
  };
}

} // namespace culvert::command
