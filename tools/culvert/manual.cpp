// culvert(1) and culvert.toml(5), in the macros of man(7).

#include "documents.hpp"

#include <algorithm>

namespace culvert::command {
namespace {

/// The text as roff reads it back: no escape, and no request at the start of a line.
std::string plain(const std::string &text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    result += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return result;
}

std::string bold(const std::string &text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string title(const char *page, const char *section) {
  return std::string(".\\\" Made by culvert itself.\n.TH ") + page + " " + section +
         " \"\" \"culvert " CULVERT_VERSION "\"\n";
}

std::string option_text(const OptionWords &option) {
  std::string text = ".TP\n" + bold(option.flag);
  if (!option.form.empty() && !option.positional) {
    text += " \\fI" + plain(option.form) + "\\fR";
  }
  text += "\n" + plain(option.sentence) + ".";
  if (option.required) {
    text += " Required.";
  }
  if (!option.standard.empty()) {
    text += " Default: " + bold(option.standard) + ".";
  }
  return text + "\n";
}

/// The options that most commands have, as add_common() adds them: those of `culvert plugins list`.
const std::vector<OptionWords> &common_options(const std::vector<CommandWords> &commands) {
  return std::find_if(
             commands.begin(), commands.end(),
             [](const CommandWords &command) { return command.words == "culvert plugins list"; })
      ->options;
}

bool has(const std::vector<OptionWords> &options, const OptionWords &option) {
  return std::any_of(options.begin(), options.end(), [&](const OptionWords &each) {
    return each.flag == option.flag && each.sentence == option.sentence;
  });
}

constexpr const char *kEnd =
    ".SH EXIT STATUS\n0 after success and after a signal that ends the process; 2 when the command "
    "line or the configuration file of \\fBup\\fR has a mistake; 1 for every other failure.\n"
    ".SH SIGNALS\n.TP\nSIGTERM, SIGINT\nThe roles accept nothing new, and open tunnels may end by "
    "themselves for the time of \\fB\\-\\-drain\\-grace\\fR. A second signal ends the process at "
    "once.\n.TP\nSIGHUP\nThe configuration, the keys and the certificates are read again. With any "
    "mistake nothing changes.\n"
    ".SH ENVIRONMENT\n.TP\nNOTIFY_SOCKET, WATCHDOG_USEC\nAs in sd_notify(3): the process tells a "
    "service manager that it is ready, reloads or stops.\n"
    ".SH FILES\n.TP\n/etc/culvert/culvert.toml\nThe configuration of the service culvert.\n"
    ".TP\n/etc/culvert/keys\nThe keys that systemd hands to the service.\n";

} // namespace

std::string manual_page(const std::vector<CommandWords> &commands) {
  const std::vector<OptionWords> &common = common_options(commands);
  std::string text = title("CULVERT", "1") +
                     ".SH NAME\nculvert \\- TCP tunnels through a relay\n.SH SYNOPSIS\n" +
                     bold("culvert") + " \\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n.SH DESCRIPTION\n" +
                     plain(commands.front().sentence) + "\n.SH COMMANDS\n";
  for (const CommandWords &command : commands) {
    if (!command.below.empty()) {
      continue;
    }
    text += ".SS " + plain(command.words) + "\n" + plain(command.sentence) + ".\n";
    bool with_common = false;
    for (const OptionWords &option : command.options) {
      const bool is_common = has(common, option);
      with_common = with_common || is_common;
      text += is_common ? "" : option_text(option);
    }
    text += with_common ? ".PP\nIt has the common options, too.\n" : "";
  }
  text += ".SH COMMON OPTIONS\n";
  for (const OptionWords &option : common) {
    text += option_text(option);
  }
  return text + kEnd + ".SH SEE ALSO\n.BR culvert.toml (5)\n";
}

std::string file_manual_page() {
  std::string text =
      title("CULVERT.TOML", "5") +
      ".SH NAME\nculvert.toml \\- what \\fBculvert up\\fR runs\n.SH DESCRIPTION\n"
      "A file in the TOML format. \\fBculvert check\\fR reports every mistake in it, and "
      "\\fBculvert config example\\fR prints it with every setting.\n.PP\n"
      "Durations have a unit (ms, s, min, h, d), and so do sizes (B, KiB, MiB, GiB, TiB). A secret "
      "is written as \"env:NAME\" or \"file:PATH\". Relative paths begin in the folder of the "
      "file. "
      "A section in double brackets repeats.\n";
  std::string section;
  for (const SettingKey &key : setting_keys()) {
    if (key.section != section) {
      section = key.section;
      text += ".SH " + plain(section) + "\n";
    }
    text += ".TP\n" + bold(key.key) + " = " + plain(key.value) + "\n" + plain(key.sentence) + ".";
    text += key.required   ? " Required; the value is an example.\n"
            : key.standard ? " The value is the default.\n"
                           : " The value is an example.\n";
  }
  return text + ".SH [plugin.\"ID\"]\nThe settings of one plugin, as \\fBculvert plugins describe "
                "ID\\fR shows them.\n.SH SEE ALSO\n.BR culvert (1)\n";
}

} // namespace culvert::command
