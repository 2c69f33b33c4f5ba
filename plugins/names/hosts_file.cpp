#include "hosts_file.hpp"

#include "culvert/plugin.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace names {
namespace {

constexpr std::size_t kHostsBytes = 4UL * 1024 * 1024;
constexpr std::size_t kPieceBytes = 64UL * 1024;

/// Most files are short: the memory grows as they are read.
std::string read_at_most(std::FILE *file, std::size_t most) {
  std::string content;
  std::size_t got = kPieceBytes;
  while (got > 0 && content.size() < most) {
    const std::size_t before = content.size();
    content.resize(before + kPieceBytes);
    got = std::fread(content.data() + before, 1, kPieceBytes, file);
    content.resize(before + got);
  }
  return content;
}

} // namespace

void refuse_pipe(const std::string &path, const char *setting) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0 && S_ISFIFO(facts.st_mode)) {
    throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER,
                              std::string(setting) + " '" + path.substr(0, 300) +
                                  "' is a pipe; name a file");
  }
}

std::string read_hosts(const std::string &path) {
  static_assert(kHostsBytes % kPieceBytes == 0);
  refuse_pipe(path, "hosts_file");
  errno = 0;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  std::FILE *const file = descriptor < 0 ? nullptr : fdopen(descriptor, "r");
  std::string content = file == nullptr ? "" : read_at_most(file, kHostsBytes);
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
