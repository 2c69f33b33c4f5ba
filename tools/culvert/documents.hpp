// The manual pages and the completions of shells, made from the command's own definitions.
//
// Plain functions on the main thread.
#pragma once

#include "command.hpp"

#include <string>
#include <vector>

namespace culvert::command {

/// An option as a reader types it.
struct OptionWords {
  std::string flag; // "--bind"; of a positional argument its name
  std::string form; // of its value, "FILE"; empty: it takes none
  std::string standard;
  std::string sentence;
  bool required = false;
  bool positional = false;
};
/// A command with its options, without --help.
struct CommandWords {
  std::string words; // "culvert sas token"
  std::string sentence;
  std::vector<std::string> below; // the names of its subcommands
  std::vector<OptionWords> options;
};
/// The program itself and all its subcommands, those that help shows.
std::vector<CommandWords> all_commands(const CLI::App &app);

/// culvert(1) and culvert.toml(5), for man.
std::string manual_page(const std::vector<CommandWords> &commands);
std::string file_manual_page();
std::string bash_completion(const std::vector<CommandWords> &commands);
std::string zsh_completion(const std::vector<CommandWords> &commands);
std::string fish_completion(const std::vector<CommandWords> &commands);

} // namespace culvert::command
