// Reads a TOML file; the only place that knows toml++.
//
// A plain function; any thread.
#pragma once

#include "config/written.hpp"

#include <string>

namespace culvert {

inline constexpr std::size_t kConfigFileBytes = 1024U * 1024;
/// The most parts of a dotted key.
inline constexpr std::size_t kKeyParts = 256;

struct TomlFile {
  Written::Table table;
  std::vector<ConfigMistake> mistakes; // that it cannot be read, or the first breach of TOML
};
TomlFile read_toml_file(const std::string &path);

} // namespace culvert
