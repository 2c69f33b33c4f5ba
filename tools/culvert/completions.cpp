// What shells offer behind `culvert`: subcommands, options, and files where a value is a path.

#include "documents.hpp"

namespace culvert::command {
namespace {

bool is_path(const OptionWords &option) {
  return option.form.starts_with("FILE") || option.form.starts_with("DIR");
}

/// In single quotes; `escape` is what stands for a single quote inside.
std::string in_quotes(const std::string &text, const std::string &escape) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? escape : std::string(1, c);
  }
  return result + "'";
}

/// The words of commands as patterns of a case: "culvert relay"|"culvert sas".
std::string known_words(const std::vector<CommandWords> &commands) {
  std::string patterns;
  for (const CommandWords &command : commands) {
    if (command.words != commands.front().words) {
      patterns += (patterns.empty() ? "\"" : "|\"") + command.words + "\"";
    }
  }
  return patterns;
}

/// The options that take a value, as patterns of a case: "culvert relay --bind".
std::string valued(const std::vector<CommandWords> &commands, bool paths) {
  std::string patterns;
  for (const CommandWords &command : commands) {
    for (const OptionWords &option : command.options) {
      if (!option.positional && !option.form.empty() && is_path(option) == paths) {
        patterns += (patterns.empty() ? "\"" : "|\"") + command.words + " " + option.flag + "\"";
      }
    }
  }
  return patterns;
}

std::string fish_subcommand(const std::string &start, const std::string &word,
                            const std::string &sentence) {
  return start + " -a " + word + " -d " + in_quotes(sentence, "\\'") + "\n";
}

} // namespace

std::string bash_completion(const std::vector<CommandWords> &commands) {
  std::string text = "# Completion of culvert for bash; made by culvert itself.\n_culvert() {\n"
                     "  local at=culvert current=${COMP_WORDS[COMP_CWORD]} offered= word\n"
                     "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                     "    case \"$at $word\" in " +
                     known_words(commands) +
                     ") at=\"$at $word\" ;; esac\n  done\n"
                     "  case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n  " +
                     valued(commands, true) +
                     ")\n    compopt -o filenames 2>/dev/null\n"
                     "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n    return ;;\n  " +
                     valued(commands, false) + ") return ;;\n  esac\n  case \"$at\" in\n";
  for (const CommandWords &command : commands) {
    text += "  \"" + command.words + "\") offered=\"";
    for (const std::string &below : command.below) {
      text += below + " ";
    }
    for (const OptionWords &option : command.options) {
      text += option.positional ? "" : option.flag + " ";
    }
    text += "--help\" ;;\n";
  }
  return text + "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$current\")\n}\n"
                "complete -F _culvert culvert\n";
}

std::string zsh_completion(const std::vector<CommandWords> &commands) {
  const auto described = [](const std::string &word, const std::string &sentence) {
    return " " + in_quotes(word + ":" + sentence, "'\\''");
  };
  std::string text = "#compdef culvert\n# Completion of culvert for zsh; made by culvert itself.\n"
                     "local at=culvert word\nlocal -a offered\n"
                     "for word in ${words[2,CURRENT-1]}; do\n  case \"$at $word\" in (" +
                     known_words(commands) +
                     ") at=\"$at $word\" ;; esac\ndone\n"
                     "case \"$at ${words[CURRENT-1]}\" in\n(" +
                     valued(commands, true) + ") _files; return ;;\n(" + valued(commands, false) +
                     ") _message value; return ;;\nesac\ncase \"$at\" in\n";
  for (const CommandWords &command : commands) {
    text += "(\"" + command.words + "\") offered=(";
    for (const std::string &below : command.below) {
      for (const CommandWords &each : commands) {
        text += each.words == command.words + " " + below ? described(below, each.sentence) : "";
      }
    }
    for (const OptionWords &option : command.options) {
      text += option.positional ? "" : described(option.flag, option.sentence);
    }
    text += described("--help", "Print help") + ") ;;\n";
  }
  return text + "esac\n_describe -o 'culvert' offered\n";
}

std::string fish_completion(const std::vector<CommandWords> &commands) {
  std::string text = "# Completion of culvert for fish; made by culvert itself.\n"
                     "function __culvert_at\n  set -l at culvert\n"
                     "  for word in (commandline -opc)[2..]\n"
                     "    switch \"$at $word\"\n      case";
  for (const CommandWords &command : commands) {
    text += " " + in_quotes(command.words, "\\'");
  }
  text += "\n        set at \"$at $word\"\n    end\n  end\n  test \"$at\" = \"$argv\"\nend\n"
          "complete -c culvert -f\n";
  for (const CommandWords &command : commands) {
    const std::string start =
        "complete -c culvert -n " + in_quotes("__culvert_at " + command.words, "\\'");
    for (const std::string &below : command.below) {
      std::string words = command.words;
      words += " ";
      words += below;
      for (const CommandWords &each : commands) {
        text += each.words == words ? fish_subcommand(start, below, each.sentence) : "";
      }
    }
    for (const OptionWords &option : command.options) {
      if (!option.positional) {
        text += start + " -l " + option.flag.substr(2) +
                (option.form.empty() ? ""
                 : is_path(option)   ? " -r -F"
                                     : " -x") +
                " -d " + in_quotes(option.sentence, "\\'") + "\n";
      }
    }
  }
  return text;
}

} // namespace culvert::command
