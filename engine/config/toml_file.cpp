#include "config/toml_file.hpp"

#include "core/regular_file.hpp"

#define TOML_EXCEPTIONS 0
// The library asserts what it then checks of a file: a key that begins with a control character
// ended a build with assertions.
#define TOML_ASSERT(condition) static_assert(true)
#include <algorithm>
#include <sys/stat.h>
#include <toml++/toml.h>

namespace culvert {
namespace {

ConfigPlace place_of(const toml::source_region &region) {
  return {region.begin.line, region.begin.column};
}

Written written(const toml::node &node);

Written::Table entries(const toml::table &table) {
  Written::Table result;
  for (const auto &[key, value] : table) {
    result.push_back({std::string(key.str()), place_of(key.source()), written(value)});
  }
  std::sort(result.begin(), result.end(), [](const WrittenEntry &one, const WrittenEntry &other) {
    return one.place < other.place;
  });
  return result;
}

Written written(const toml::node &node) {
  Written result;
  result.place = place_of(node.source());
  if (const auto *text = node.as_string()) {
    result.value = text->get();
  } else if (const auto *number = node.as_integer()) {
    result.value = number->get();
  } else if (const auto *truth = node.as_boolean()) {
    result.value = truth->get();
  } else if (const auto *list = node.as_array()) {
    Written::List items;
    for (const toml::node &item : *list) {
      items.push_back(written(item));
    }
    result.value = std::move(items);
  } else if (const auto *table = node.as_table()) {
    result.value = entries(*table);
  } else {
    result.value = Written::Other{node.is_floating_point() ? "a number with a point" : "a date"};
  }
  return result;
}

/// The parser and its tables recurse once for each part of a key, so a key is bounded before. A dot
/// in a text counts too; no setting has so many.
bool has_endless_key(std::string_view text) {
  std::size_t dots = 0;
  for (const char c : text) {
    const bool ends = std::string_view("=,[]{}\n").find(c) != std::string_view::npos;
    dots = ends ? 0 : dots + (c == '.' ? 1 : 0);
    if (dots >= kKeyParts) {
      return true;
    }
  }
  return false;
}

Result<std::string> text_of(const std::string &path) {
  RegularFile file = read_regular_file(path, kConfigFileBytes);
  if (!file.why_not.empty()) {
    return Status::machine("cannot read the configuration file '" + path + "': " + file.why_not +
                           "; name a file that this user may read");
  }
  if ((file.mode & S_IWOTH) != 0) {
    return Status::machine("every user of this machine may write the configuration file '" + path +
                           "'; take this right away with chmod o-w");
  }
  if (file.too_large) {
    return Status::config("the configuration file is larger than 1 MiB; write a smaller one");
  }
  constexpr std::string_view kUtf16[] = {"\xff\xfe", "\xfe\xff"};
  if (file.content.starts_with(kUtf16[0]) || file.content.starts_with(kUtf16[1]) ||
      file.content.find('\0') != std::string::npos) {
    return Status::config("the configuration file is UTF-16 or no text; save it as UTF-8");
  }
  return std::move(file.content);
}

/// What to write in this line instead, where TOML's own sentence does not say it.
std::string_view remedy_in(std::string_view text, unsigned number) {
  for (; number > 1; --number) {
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  for (const std::string_view curly : {"\u2018", "\u2019", "\u201c", "\u201d"}) {
    if (line.find(curly) != std::string_view::npos) {
      return "; write straight quotes";
    }
  }
  const std::size_t equals = line.find('=');
  const std::size_t value =
      equals == std::string_view::npos ? equals : line.find_first_not_of(" \t", equals + 1);
  const bool bare = value != std::string_view::npos &&
                    std::string_view("\"'[{").find(line[value]) == std::string_view::npos;
  return bare ? "; write a text in quotes" : "";
}

} // namespace

TomlFile read_toml_file(const std::string &path) {
  TomlFile file;
  const Result<std::string> text = text_of(path);
  if (!text.ok()) {
    file.mistakes.push_back({{}, text.status()});
    return file;
  }
  if (has_endless_key(text.value())) {
    file.mistakes.push_back({{},
                             Status::config("a key has more than " + std::to_string(kKeyParts) +
                                            " parts with dots between; write tables")});
    return file;
  }
  const toml::parse_result parsed = toml::parse(std::string_view(text.value()));
  if (parsed.failed()) {
    const toml::parse_error &error = parsed.error();
    file.mistakes.push_back(
        {place_of(error.source()),
         Status::config("this is no TOML: " + std::string(error.description()) +
                        std::string(remedy_in(text.value(), error.source().begin.line)) +
                        "; the rest of the file is not judged")});
    return file;
  }
  file.table = entries(parsed.table());
  return file;
}

} // namespace culvert
