#include "core/regular_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culvert {
namespace {

class Descriptor {
public:
  // O_NONBLOCK: opening a pipe does not wait for its writer.
  explicit Descriptor(const std::string &path)
      : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

} // namespace

RegularFile read_regular_file(const std::string &path, std::size_t most) {
  RegularFile file;
  const Descriptor descriptor(path);
  struct stat facts {};
  if (descriptor.number() < 0 || fstat(descriptor.number(), &facts) != 0) {
    file.why_not = std::strerror(errno);
    return file;
  }
  if (!S_ISREG(facts.st_mode)) {
    file.why_not = S_ISDIR(facts.st_mode) ? std::strerror(EISDIR) : "it is no regular file";
    return file;
  }
  file.mode = facts.st_mode & 07777;
  file.too_large = static_cast<std::size_t>(facts.st_size) > most;
  if (file.too_large) {
    return file;
  }
  file.content.resize(static_cast<std::size_t>(facts.st_size) + 1);
  std::size_t size = 0;
  ssize_t count = 1;
  while (size <= most && count > 0) {
    if (size == file.content.size()) { // it has grown meanwhile
      file.content.resize(std::min(2 * size, most + 1));
    }
    count = read(descriptor.number(), file.content.data() + size, file.content.size() - size);
    size += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  if (count < 0) {
    file.why_not = std::strerror(errno);
  }
  file.too_large = size > most;
  file.content.resize(file.too_large || count < 0 ? 0 : size);
  return file;
}

} // namespace culvert
