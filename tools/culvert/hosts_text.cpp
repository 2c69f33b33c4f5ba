#include "hosts_text.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <vector>

namespace culvert::command {
namespace {

constexpr std::string_view kBegin =
    "# Begin of Culvert's names; culvert hosts --remove takes them away.\n";
constexpr std::string_view kEnd = "# End of Culvert's names.\n";

/// The lines with their ends; the last one may have none.
std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> words_of(const std::string &line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

bool is_redirected(std::string name, const RedirectedNames &names) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return names.contains(name);
}

/// The line without the redirected names; one with none of them stays as it is.
std::string without_names(const std::string &line, const RedirectedNames &names) {
  const std::vector<std::string> words = words_of(line);
  std::string rest;
  std::size_t left = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == 0 || !is_redirected(words[i], names)) {
      rest += (i == 0 ? "" : " ") + words[i];
      ++left;
    }
  }
  if (left == words.size()) {
    return line;
  }
  return left > 1 ? rest + "\n" : "";
}

} // namespace

std::string hosts_lines(const RedirectedNames &names) {
  std::string text;
  for (const auto &[name, address] : names) {
    text.append(address).append(" ").append(name).append("\n");
    text.append("::ffff:").append(address).append(" ").append(name).append("\n");
  }
  return text;
}

std::string hosts_for_command(const std::string &hosts, const RedirectedNames &names) {
  std::string text = hosts_lines(names);
  for (const std::string &line : lines_of(hosts)) {
    text += without_names(line, names);
  }
  return text;
}

std::string files_first(const std::string &nsswitch) {
  constexpr std::string_view kHosts = "hosts:";
  std::string text;
  bool found = false;
  for (const std::string &line : lines_of(nsswitch)) {
    if (!line.starts_with(kHosts)) {
      text += line;
      continue;
    }
    found = true;
    std::string others;
    for (const std::string &word : words_of(line.substr(kHosts.size()))) {
      others += word == "files" ? "" : " " + word;
    }
    text += std::string(kHosts) + " files" + others + "\n";
  }
  return found ? text : text + "hosts: files dns\n";
}

Result<std::string> with_block(const std::string &hosts, const RedirectedNames &names) {
  Result<std::string> rest = without_block(hosts);
  if (!rest.ok()) {
    return rest.status();
  }
  std::size_t number = 0;
  for (const std::string &line : lines_of(rest.value())) {
    ++number;
    if (without_names(line, names) != line) {
      return Status::config("line " + std::to_string(number) +
                            " has one of the names already: " + line.substr(0, line.find('\n')) +
                            "; remove it, because an app would get both addresses");
    }
  }
  return std::string(kBegin) + hosts_lines(names) + std::string(kEnd) + rest.value();
}

Result<std::string> without_block(const std::string &hosts) {
  const std::size_t begin = hosts.find(kBegin);
  if (begin == std::string::npos) {
    return hosts;
  }
  const std::size_t end = hosts.find(kEnd, begin);
  if (end == std::string::npos) {
    return Status::config("the block of Culvert's names has no end; remove its lines by hand");
  }
  return hosts.substr(0, begin) + hosts.substr(end + kEnd.size());
}

} // namespace culvert::command
