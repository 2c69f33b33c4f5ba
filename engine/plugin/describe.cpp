#include "core/clock.hpp"
#include "io/advice.hpp"
#include "plugin/entry.hpp"
#include "plugin/loader.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
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
[[noreturn]] void tell(int descriptor, pid_t parent, const Directories &directories,
                       std::string_view id) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) { // it died before the line above
    ::_exit(1);
  }
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

/// Reads to the end; false if it has not come at the deadline.
bool read_all(int descriptor, std::uint64_t limit_ms, std::string &text) {
  const SystemClock clock;
  const std::uint64_t deadline_ns = clock.now_ns() + limit_ms * 1'000'000U;
  std::array<char, 4096> buffer{};
  for (;;) {
    const std::uint64_t now_ns = clock.now_ns();
    if (now_ns >= deadline_ns) {
      return false;
    }
    pollfd readable{descriptor, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>((deadline_ns - now_ns) / 1'000'000U + 1)) <= 0) {
      continue;
    }
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return true;
    }
  }
}

Status system_failure(const char *what) {
  const int error = errno;
  Status status =
      Status::failure(Code::kInternal, Source::kLocal, Retry::kBackoff,
                      std::string(what) + ": " + std::generic_category().message(error) +
                          (error == EMFILE ? std::string("; ") + kOpenFilesAdvice : ""));
  status.os_error = error;
  return status;
}

} // namespace

Result<std::string> describe_in_child(const Directories &directories, std::string_view id,
                                      std::uint64_t limit_ms) {
  const Result<std::string> file = find_plugin(directories, id);
  if (!file.ok()) {
    return file.status();
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return system_failure("describing a plugin needs a pipe");
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    tell(ends[1], parent, directories, id);
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return system_failure("fork");
  }
  std::string text;
  const bool in_time = read_all(ends[0], limit_ms, text);
  ::close(ends[0]);
  ::kill(child, SIGKILL); // one that is ending keeps its own exit code
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return Status::machine(file.value() + ": loading this plugin took longer than " +
                           std::to_string(limit_ms / 1'000) + " s; do not use it");
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
