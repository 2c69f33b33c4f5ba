// The example file: every row of the table of settings.

#include "config/setting_values.hpp"
#include "config/settings.hpp"
#include "culvert/config_file.hpp"

#include <sstream>

namespace culvert {
namespace {

constexpr std::size_t kColumns = 100;

/// The text as comment lines.
std::string comment(const std::string &text) {
  std::string result;
  std::string line = "#";
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    if (line.size() + 1 + word.size() > kColumns) {
      result += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return result + line + "\n";
}

std::string value_of(const Setting &setting) {
  const std::string &text = setting.standard.empty() ? setting.example : setting.standard;
  const bool bare = setting.kind == SettingKind::kTruth || setting.kind == SettingKind::kCount ||
                    (setting.kind == SettingKind::kShards && text != "auto");
  const std::string value = bare ? text : "\"" + text + "\"";
  return setting.repeats() ? "[" + value + "]" : value;
}

SettingKey key_of(Section section, const Setting &setting) {
  const std::string range = range_of(setting);
  return {
      section_header(section), setting.key,
      value_of(setting),       range.empty() ? setting.sentence : setting.sentence + ": " + range,
      setting.required,        !setting.standard.empty()};
}

/// Without a default it is either required, or its line is an example that stays a comment.
std::string lines_of(const SettingKey &key) {
  return comment(key.sentence + (key.required ? ". Required." : ".")) + (key.required ? "" : "#") +
         key.key + " = " + key.value + "\n";
}

constexpr const char *kHead =
    "# The configuration of `culvert up`, with every setting. A setting behind '#' shows its "
    "default\n"
    "# or an example; one without '#' is required in its section. `culvert check` judges a file.\n"
    "#\n"
    "# Durations have a unit (ms, s, min, h, d), and so do sizes (B, KiB, MiB, GiB, TiB). A secret "
    "is\n"
    "# written as \"env:NAME\" or \"file:PATH\". Relative paths begin in the folder of this file.\n"
    "# [[relay]], [[listener]] and [[sender]] repeat: each is one role of the process.\n";

constexpr const char *kPluginPart =
    "\n# The settings of one plugin, as `culvert plugins describe ID` shows them. A relative path\n"
    "# among them begins where the process was started.\n"
    "#[plugin.\"resolver_dns\"]\n"
    "#servers = [\"10.0.0.2\"]\n";

} // namespace

std::vector<SettingKey> setting_keys() {
  std::vector<SettingKey> keys;
  for (const Section section : all_sections()) {
    for (const Setting *setting : settings_of(section)) {
      keys.push_back(key_of(section, *setting));
    }
  }
  return keys;
}

std::string example_config_file() {
  std::string text = kHead;
  for (const Section section : all_sections()) {
    text += "\n" + section_header(section) + "\n";
    for (const Setting *setting : settings_of(section)) {
      text += lines_of(key_of(section, *setting));
    }
    if (section == kPluginsSection) {
      text += kPluginPart;
    }
  }
  return text;
}

} // namespace culvert
