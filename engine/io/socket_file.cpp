#include "io/socket_file.hpp"

#include "io/socket_calls.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace culvert {
SocketFile::SocketFile(std::string path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0 && S_ISSOCK(facts.st_mode)) {
    path_ = std::move(path);
    device_ = facts.st_dev;
    inode_ = facts.st_ino;
  }
}

SocketFile::SocketFile(SocketFile &&other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile &SocketFile::operator=(SocketFile &&other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

int SocketFile::set_mode(unsigned mode) const {
  return ::chmod(path_.c_str(), static_cast<mode_t>(mode)) == 0 ? 0 : -errno;
}

void SocketFile::remove() {
  if (path_.empty()) {
    return;
  }
  struct stat facts {};
  if (::lstat(path_.c_str(), &facts) == 0 && facts.st_dev == device_ && facts.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

FolderLock::FolderLock(const std::string &path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  held_ = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

PathUse use_of_path(const std::string &path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) {
    return PathUse::kNothing;
  }
  socket_calls::KernelAddress kernel;
  if (!S_ISSOCK(facts.st_mode) || socket_calls::to_kernel(Address::unix_path(path), kernel) != 0) {
    return PathUse::kNoSocket;
  }
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool nobody =
      probe >= 0 && ::connect(probe, kernel.get(), kernel.length) != 0 && errno == ECONNREFUSED;
  if (probe >= 0) {
    ::close(probe);
  }
  return nobody ? PathUse::kNobodyListens : PathUse::kSomebodyListens;
}

} // namespace culvert
