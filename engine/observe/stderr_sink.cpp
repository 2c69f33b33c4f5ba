#include "observe/stderr_sink.hpp"

#include "core/stderr.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace culvert {

StderrSink::StderrSink(Tell tell) : tell_(tell), own_(reopen_stderr()) {
  struct stat facts {};
  socket_ = ::fstat(STDERR_FILENO, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

StderrSink::~StderrSink() {
  tell_lost("culvert", spdlog::log_clock::now());
  if (own_ >= 0) {
    ::close(own_);
  }
}

void StderrSink::sink_it_(const spdlog::details::log_msg &message) {
  const std::string_view logger(message.logger_name.data(), message.logger_name.size());
  if (!tell_lost(logger, message.time) || !put(line_of(message))) {
    ++lost_;
  }
}

bool StderrSink::tell_lost(std::string_view logger, spdlog::log_clock::time_point now) {
  if (!put_rest()) {
    return false;
  }
  if (lost_ > 0) {
    const std::string text = tell_(lost_, why_);
    lost_ = put(line_of({now, {}, logger, spdlog::level::warn, text})) ? 0 : lost_;
  }
  return lost_ == 0;
}

std::string StderrSink::line_of(const spdlog::details::log_msg &message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  return {line.data(), line.size()};
}

bool StderrSink::put(std::string line) {
  if (!put_rest()) {
    return false;
  }
  const std::size_t size = line.size();
  rest_ = std::move(line);
  put_rest();
  const bool begun = rest_.size() < size;
  if (!begun) {
    rest_.clear();
  }
  return begun;
}

bool StderrSink::put_rest() {
  while (!rest_.empty()) {
    const ssize_t count = write_some(rest_);
    if (count > 0) {
      rest_.erase(0, static_cast<std::size_t>(count));
    } else if (count == 0 || errno == EAGAIN) {
      why_ = "the reader of stderr takes nothing";
      break;
    } else if (errno != EINTR) {
      why_ = std::generic_category().message(errno);
      break;
    }
  }
  return rest_.empty();
}

ssize_t StderrSink::write_some(std::string_view bytes) {
  if (own_ >= 0) {
    return ::write(own_, bytes.data(), bytes.size());
  }
  if (socket_) {
    return ::send(STDERR_FILENO, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0) {
    return ::write(STDERR_FILENO, bytes.data(), bytes.size());
  }
  return 0;
}

} // namespace culvert
