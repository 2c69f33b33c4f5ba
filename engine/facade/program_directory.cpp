#include "facade/program_directory.hpp"

#include <filesystem>

namespace culvert {

std::string plugin_directory(const EngineConfig &config) {
  if (!config.plugin_directory.empty()) {
    return config.plugin_directory;
  }
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

} // namespace culvert
