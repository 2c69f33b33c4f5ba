#include "command.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace culvert::command {
namespace {

const CLI::App &deepest(const CLI::App &app) {
  const std::vector<CLI::App *> chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::string subcommands_of(const CLI::App &app) {
  std::string names;
  for (const CLI::App *command : app.get_subcommands({})) {
    if (!command->get_group().empty()) { // help shows it
      names += (names.empty() ? "" : ", ") + command->get_name();
    }
  }
  return names;
}

/// Part of a connection string may stand where a word of ours is expected: only what cannot be one
/// is repeated.
bool may_be_repeated(const std::string &word) {
  if (word.size() == 2 && word.front() == '-') {
    return std::isalnum(static_cast<unsigned char>(word.back())) != 0; // one letter is no secret
  }
  return !word.empty() && word.size() <= 24 &&
         std::all_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::islower(c) != 0 || c == '-' || c == '_'; });
}

bool holds_key(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text.find("sharedaccesskey=") != std::string::npos;
}

/// Of a word without its option: one that names a file is no secret.
std::string belongs_to_no_option(const CLI::App &app, const std::string &word) {
  std::error_code error;
  const bool is_file =
      !holds_key(word) && (word.ends_with(".toml") || std::filesystem::exists(word, error));
  if (!is_file && !may_be_repeated(word)) {
    return "an argument belongs to no option (is a value with ';' or a space quoted?)";
  }
  const bool takes_file = is_file && app.get_option_no_throw("--config") != nullptr;
  return "'" + word + "' belongs to no option" + (takes_file ? "; write --config " + word : "");
}

std::string not_expected(const CLI::App &app, const std::string &argument) {
  const std::string name = argument.substr(0, argument.find('='));
  if (argument.starts_with('-')) {
    if (app.get_option_no_throw(name) != nullptr) {
      return name + " stands in front of '" + app.get_name() + "'; write it behind";
    }
    const bool runs = app.get_option_no_throw("COMMAND") != nullptr;
    return (may_be_repeated(name) ? "there is no option " + name
                                  : std::string("an option is not one of this command")) +
           (runs ? "; write -- in front of the command" : "");
  }
  if (!app.get_subcommands({}).empty()) {
    return (may_be_repeated(argument) ? "there is no subcommand '" + argument + "'"
                                      : std::string("a word is no subcommand")) +
           "; write one of " + subcommands_of(app);
  }
  return belongs_to_no_option(app, argument);
}

std::string usage_of(const CLI::App &app, const std::string &option) {
  for (const CLI::Option *known : app.get_options()) {
    if (known->get_name() == option && !known->get_positional()) {
      return known->get_name() + " " + known->get_type_name();
    }
  }
  return "the " + option;
}

/// The words that belong to nothing, those of the chosen subcommand first.
std::vector<std::string> not_taken(const CLI::App &root) {
  std::vector<std::string> rest = deepest(root).remaining();
  for (const std::string &word : root.remaining(true)) {
    rest.push_back(word);
  }
  rest.erase(std::remove(rest.begin(), rest.end(), "--"), rest.end());
  return rest;
}

/// What CLI11 found, in our words. Its own sentences name options in front of a colon or a blank.
std::string explain(const CLI::App &root, const CLI::ParseError &error) {
  const CLI::App &app = deepest(root);
  const std::vector<std::string> rest = not_taken(root);
  if (!rest.empty()) {
    return not_expected(app, rest.front());
  }
  const std::string sentence = error.what();
  const std::string option = sentence.substr(0, sentence.find_first_of(": "));
  if (dynamic_cast<const CLI::RequiredError *>(&error) != nullptr) {
    return app.get_subcommands({}).empty()
               ? option + " is missing; write " + usage_of(app, option)
               : "a subcommand is missing; write one of " + subcommands_of(app);
  }
  if (sentence.find("does not allow") != std::string::npos ||
      sentence.find("flag") != std::string::npos) {
    return "an option that takes no value has one; write it without '='";
  }
  if (dynamic_cast<const CLI::ArgumentMismatch *>(&error) != nullptr) {
    return sentence.find("At Most") != std::string::npos
               ? option + " is given more than once; write it once"
               : option + " has no value; write " + usage_of(app, option);
  }
  return "the arguments cannot be read";
}

} // namespace

std::string chosen_words(const CLI::App &app) {
  std::string words = app.get_name();
  for (const CLI::App *command : app.get_subcommands()) {
    words += " " + chosen_words(*command);
  }
  return words;
}

void refuse_empty_values(const CLI::App &app) {
  const CLI::App &chosen = deepest(app);
  for (const CLI::Option *option : chosen.get_options()) {
    const std::vector<std::string> &values = option->results();
    if (option->get_expected_max() > 1 && option->get_positional()) {
      continue; // the words of a command that culvert runs
    }
    if (std::find(values.begin(), values.end(), "") != values.end()) {
      throw Refusal{kExitUsage, option->get_name() + " is empty; write " +
                                    usage_of(chosen, option->get_name()) +
                                    (option->get_required() ? "" : " or leave it out")};
    }
  }
}

void refuse_misplaced_secrets(int argc, char **argv) {
  for (int at = 2; at < argc; ++at) {
    std::string option = argv[at - 1];
    std::string value = argv[at];
    if (value == "--") {
      return; // a command that culvert runs
    }
    if (value.starts_with("--") && value.find('=') != std::string::npos) {
      option = value.substr(0, value.find('='));
      value.erase(0, option.size() + 1);
    }
    const bool read_there = option == "--connection-string" && !value.starts_with("file:") &&
                            !value.starts_with("env:"); // a literal is judged where it is read
    if (option.starts_with("--") && holds_key(value) && !read_there) {
      throw Refusal{kExitUsage, option + ": a connection string stands here; put it into a "
                                         "variable or file, and write --connection-string "
                                         "env:NAME or file:PATH"};
    }
  }
}

std::string usage_error(const CLI::App &app, const CLI::ParseError &error) {
  const std::string words = chosen_words(app);
  return words + ": " + explain(app, error) + "; see " + words + " --help";
}

} // namespace culvert::command
