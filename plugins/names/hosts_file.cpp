#include "hosts_file.hpp"

#include "culvert/plugin.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace names {
namespace {

constexpr std::size_t kHostsBytes = 4UL * 1024 * 1024;

} // namespace

std::string read_hosts(const std::string &path) {
  std::string content(kHostsBytes, '\0');
  errno = 0;
  std::FILE *const file = std::fopen(path.c_str(), "re");
  content.resize(file == nullptr ? 0 : std::fread(content.data(), 1, content.size(), file));
  const bool failed = file == nullptr || std::ferror(file) != 0;
  const std::string reason = std::strerror(errno);
  if (file != nullptr) {
    std::fclose(file);
  }
  if (failed && path != kUsualHosts) {
    throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER,
                              "cannot read the hosts_file '" + path.substr(0, 300) +
                                  "': " + reason + "; name a file that this user may read");
  }
  return content;
}

} // namespace names
