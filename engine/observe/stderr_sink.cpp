#include "observe/stderr_sink.hpp"

#include <cerrno>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace culvert {

void StderrSink::sink_it_(const spdlog::details::log_msg &message) {
  if (lost_ > 0) {
    const std::string text = tell_(lost_, why_);
    const std::string line =
        line_of({message.time, message.source, message.logger_name, spdlog::level::warn, text});
    lost_ = put(torn_ ? "\n" + line : line) ? 0 : lost_;
  }
  if (lost_ > 0 || !put(line_of(message))) {
    ++lost_;
  }
}

std::string StderrSink::line_of(const spdlog::details::log_msg &message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  return {line.data(), line.size()};
}

bool StderrSink::put(std::string_view line) {
  std::string_view rest = line;
  while (!rest.empty() && writable()) {
    const ssize_t count = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      why_ = std::generic_category().message(errno);
      break;
    }
  }
  torn_ = rest.size() == line.size() ? torn_ : !rest.empty();
  return rest.empty();
}

bool StderrSink::writable() {
  pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0) {
    return true;
  }
  why_ = "the reader of stderr takes nothing";
  return false;
}

} // namespace culvert
