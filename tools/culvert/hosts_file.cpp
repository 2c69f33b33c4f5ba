#include "hosts_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culvert::command {
namespace {

/// An open file, closed at the end.
class File {
public:
  explicit File(int number) : number_(number) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

Status failed(const std::string &path, const std::string &step) {
  const int error = errno;
  return Status::machine("cannot " + step + " " + path + ": " + std::strerror(error) +
                         (error == EACCES || error == EPERM ? "; run it as root"
                          : error == EINVAL                 ? "; it must be a regular file"
                                                            : ""));
}

/// A regular file, at most so large: a pipe or a device may have no end.
constexpr off_t kLargestFile = 4 * 1024 * 1024;

bool read_all(int file, std::string &text) {
  struct stat facts {};
  if (fstat(file, &facts) != 0) {
    return false;
  }
  if (!S_ISREG(facts.st_mode) || facts.st_size > kLargestFile) {
    errno = S_ISREG(facts.st_mode) ? EFBIG : EINVAL;
    return false;
  }
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got <= 0) {
      return got == 0;
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

bool write_all(int file, const std::string &text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = write(file, text.data() + done, text.size() - done);
    if (wrote < 0) {
      return false;
    }
    done += static_cast<std::size_t>(wrote);
  }
  return fsync(file) == 0;
}

/// A mount point cannot be replaced.
Status overwrite(const std::string &path, const std::string &text) {
  const File file(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  return file.number() >= 0 && write_all(file.number(), text) ? Status{} : failed(path, "write");
}

Status replace(const std::string &path, int before, const std::string &text) {
  std::string beside = path + ".culvert-XXXXXX";
  const File file(mkostemp(beside.data(), O_CLOEXEC));
  struct stat facts {};
  if (file.number() < 0 || fstat(before, &facts) != 0) {
    return failed(path, "write a file beside");
  }
  if (fchmod(file.number(), facts.st_mode & 07777U) != 0 ||
      fchown(file.number(), facts.st_uid, facts.st_gid) != 0 || !write_all(file.number(), text)) {
    Status status = failed(path, "write a file beside");
    unlink(beside.c_str());
    return status;
  }
  if (rename(beside.c_str(), path.c_str()) == 0) {
    return {};
  }
  Status status = errno == EBUSY ? overwrite(path, text) : failed(path, "replace");
  unlink(beside.c_str());
  return status;
}

/// Of a link, the file that it leads to is changed.
Status change(const std::string &named,
              const std::function<Result<std::string>(const std::string &)> &edit) {
  std::error_code none;
  const std::filesystem::path found = std::filesystem::canonical(named, none);
  const std::string path = none ? named : found.string();
  const File file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string before;
  if (file.number() < 0 || flock(file.number(), LOCK_EX) != 0 || !read_all(file.number(), before)) {
    return failed(path, "read");
  }
  const Result<std::string> after = edit(before);
  if (!after.ok()) {
    return Status::machine(path + ": " + after.status().message);
  }
  return after.value() == before ? Status{} : replace(path, file.number(), after.value());
}

} // namespace

Status apply_to_hosts_file(const std::string &path, const RedirectedNames &names) {
  return change(path, [&names](const std::string &text) { return with_block(text, names); });
}

Status remove_from_hosts_file(const std::string &path) {
  return change(path, [](const std::string &text) { return without_block(text); });
}

} // namespace culvert::command
