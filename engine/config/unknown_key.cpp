#include "config/unknown_key.hpp"

#include <algorithm>
#include <cctype>

namespace culvert {
namespace {

/// "it belongs to [log]"; empty: no section has it.
std::string belongs_to(const std::string &key) {
  std::vector<std::string> headers;
  for (const Section section : all_sections()) {
    if (find_setting(section, key) != nullptr) {
      headers.push_back(section_header(section));
    }
  }
  return headers.empty() ? "" : "it belongs to " + one_of(headers, " and ");
}

/// What to write in place of the key.
std::string advice(const std::string &key, const std::vector<std::string> &words,
                   const std::string &owner) {
  if (const std::string near = nearest_word(key, words); !near.empty()) {
    return "did you mean '" + near + "'?";
  }
  const std::string belongs = belongs_to(key);
  return belongs.empty() ? owner + " has " + one_of(words, " and ") : belongs;
}

} // namespace

std::string named(const std::string &key) {
  constexpr std::size_t kLongestName = 40;
  const bool plain =
      key.size() <= kLongestName && std::all_of(key.begin(), key.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
      });
  return plain ? "'" + key + "'" : "a key";
}

bool is_inner_table(Section section, const std::string &key) {
  return (section == kRelaySection && (key == "rule" || key == "entity")) ||
         (section == kEntitySection && key == "rule");
}

std::string unknown_key(Section section, const std::string &key) {
  std::vector<std::string> keys;
  for (const Setting *setting : settings_of(section)) {
    keys.push_back(setting->key);
  }
  for (const char *inner : {"rule", "entity"}) {
    if (is_inner_table(section, inner)) {
      keys.emplace_back(inner);
    }
  }
  return named(key) + " is unknown in " + section_header(section) + "; " + advice(key, keys, "it");
}

std::string unknown_section(const std::string &key) {
  return named(key) + " is unknown; " +
         advice(key,
                {"engine", "log", "plugins", "plugin", "limits", "admin", "dns", "relay",
                 "listener", "sender"},
                "a file");
}

} // namespace culvert
