#include "config/toml_file.hpp"

#define TOML_EXCEPTIONS 0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
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

Result<std::string> text_of(const std::string &path) {
  struct stat facts {};
  std::ifstream file;
  errno = 0;
  if (stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    return Status::machine("cannot read the configuration file '" + path +
                           "': it is no regular file; name one that this user may read");
  }
  file.open(path, std::ios::binary);
  if (!file.is_open()) {
    return Status::machine("cannot read the configuration file '" + path +
                           "': " + std::strerror(errno) + "; name a file that this user may read");
  }
  std::string text(kConfigFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) {
    return Status::machine("cannot read the configuration file '" + path +
                           "': " + std::strerror(errno));
  }
  if (text.size() > kConfigFileBytes) {
    return Status::config("the configuration file is larger than 1 MiB; write a smaller one");
  }
  return text;
}

} // namespace

TomlFile read_toml_file(const std::string &path) {
  TomlFile file;
  const Result<std::string> text = text_of(path);
  if (!text.ok()) {
    file.mistakes.push_back({{}, text.status()});
    return file;
  }
  const toml::parse_result parsed = toml::parse(std::string_view(text.value()));
  if (parsed.failed()) {
    const toml::parse_error &error = parsed.error();
    file.mistakes.push_back({place_of(error.source()),
                             Status::config("this is no TOML: " + std::string(error.description()) +
                                            "; the rest of the file is not judged")});
    return file;
  }
  file.table = entries(parsed.table());
  return file;
}

} // namespace culvert
