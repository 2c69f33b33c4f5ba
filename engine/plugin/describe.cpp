#include "plugin/entry.hpp"
#include "plugin/loader.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace culvert {

namespace {

/// The first byte of the child's output; the text follows.
constexpr char kDescribed = '+';
constexpr char kWronglyAsked = '?'; // Source::kConfig
constexpr char kFailed = '-';

/// Runs in the child process.
[[noreturn]] void tell(int descriptor, const Directories &directories, std::string_view id) {
  const Result<LoadedPlugin> loaded = load_plugin(directories, id);
  const bool asked_well = loaded.ok() || loaded.status().source != Source::kConfig;
  const std::string text = loaded.ok()
                               ? kDescribed + describe_entry(*loaded.value().entry) +
                                     "file: " + loaded.value().file + "\n"
                               : (asked_well ? kFailed : kWronglyAsked) + loaded.status().message;
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) {
      ::_exit(1);
    }
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  ::_exit(0);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return text;
    }
  }
}

Status system_failure(const char *what) {
  const int error = errno;
  Status status =
      Status::failure(Code::kInternal, Source::kLocal, Retry::kBackoff,
                      std::string(what) + ": " + std::generic_category().message(error));
  status.os_error = error;
  return status;
}

} // namespace

Result<std::string> describe_in_child(const Directories &directories, std::string_view id) {
  const Result<std::string> file = find_plugin(directories, id);
  if (!file.ok()) {
    return file.status();
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_failure("pipe");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    tell(ends[1], directories, id);
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return system_failure("fork");
  }
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (text.empty() || !WIFEXITED(state) || WEXITSTATUS(state) != 0) {
    return Status::machine(file.value() + ": loading this plugin ended the process with " +
                           (WIFSIGNALED(state)
                                ? "signal " + std::to_string(WTERMSIG(state))
                                : "exit code " + std::to_string(WEXITSTATUS(state))) +
                           "; do not use it");
  }
  std::string said = text.substr(1);
  if (text.front() == kDescribed) {
    return said;
  }
  return text.front() == kWronglyAsked ? Status::config(std::move(said))
                                       : Status::machine(std::move(said));
}

} // namespace culvert
