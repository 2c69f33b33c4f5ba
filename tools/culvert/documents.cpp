#include "documents.hpp"

#include <algorithm>
#include <iostream>

namespace culvert::command {
namespace {

OptionWords words_of(const CLI::Option &option) {
  OptionWords words;
  words.positional = option.get_positional();
  words.flag = words.positional ? option.get_name(true) : "--" + option.get_lnames().front();
  words.form = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  words.standard = option.get_default_str();
  words.sentence = option.get_description();
  words.required = option.get_required();
  return words;
}

void collect(const CLI::App &app, const std::string &words, std::vector<CommandWords> &all) {
  CommandWords command{words, app.get_description(), {}, {}};
  for (const CLI::Option *option : app.get_options()) {
    if (option != app.get_help_ptr()) {
      command.options.push_back(words_of(*option));
    }
  }
  const auto below =
      app.get_subcommands([](const CLI::App *each) { return !each->get_group().empty(); });
  for (const CLI::App *each : below) {
    command.below.push_back(each->get_name());
  }
  all.push_back(std::move(command));
  for (const CLI::App *each : below) {
    collect(*each, words + " " + each->get_name(), all);
  }
}

} // namespace

std::vector<CommandWords> all_commands(const CLI::App &app) {
  std::vector<CommandWords> all;
  collect(app, app.get_name(), all);
  return all;
}

Run add_document(CLI::App &parent, Flags &) {
  auto kind = std::make_shared<std::string>();
  CLI::App *app = parent.add_subcommand("document", "Print a manual page or a shell's completion");
  app->group(""); // for packages, not in --help
  app->add_option("kind", *kind, "What to print")
      ->required()
      ->check(CLI::IsMember({"man", "file-man", "bash", "zsh", "fish"}));
  return [kind, &parent] {
    const std::vector<CommandWords> commands = all_commands(parent);
    std::cout << (*kind == "man"        ? manual_page(commands)
                  : *kind == "file-man" ? file_manual_page()
                  : *kind == "bash"     ? bash_completion(commands)
                  : *kind == "zsh"      ? zsh_completion(commands)
                                        : fish_completion(commands));
    return kExitOk;
  };
}

} // namespace culvert::command
