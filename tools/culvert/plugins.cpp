#include "command.hpp"

#include <iostream>

namespace culvert::command {

Run add_plugins(CLI::App &parent, Flags &flags) {
  auto id = std::make_shared<std::string>();
  CLI::App *app =
      parent.add_subcommand("plugins", "See which plugins there are and what one offers");
  app->require_subcommand(1);
  CLI::App *list =
      app->add_subcommand("list", "Name the plugins in the plugin directories; does not load them");
  CLI::App *describe = app->add_subcommand("describe", "Print what a plugin says of itself");
  describe->add_option("id", *id, "The plugin's id: its file's name without .so")->required();
  add_common(*list, flags);
  add_common(*describe, flags);
  return [id, list, &flags] {
    SecretReader secrets;
    const EngineConfig engine = read_engine(flags, secrets, {});
    if (list->parsed()) {
      for (const std::string &name : require(list_plugins(engine))) {
        std::cout << name << '\n';
      }
    } else {
      std::cout << require(describe_plugin(engine, *id));
    }
    return kExitOk;
  };
}

} // namespace culvert::command
