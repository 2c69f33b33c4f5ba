#include "notify.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace culvert::command {
namespace {

constexpr timeval kPatience{1, 0}; // for a manager whose queue is full

std::string variable(const char *name) {
  const char *const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

std::uint64_t number_of(const std::string &text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::uint64_t monotonic_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch(); // CLOCK_MONOTONIC
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

} // namespace

Notify::Notify(Log &log) : log_(log), name_(variable("NOTIFY_SOCKET")) {
  if (name_.empty()) {
    return;
  }
  address_.sun_family = AF_UNIX;
  if ((name_[0] != '/' && name_[0] != '@') || name_.size() >= sizeof address_.sun_path) {
    errno = EAFNOSUPPORT;
    failed();
    return;
  }
  std::memcpy(address_.sun_path, name_.data(), name_.size());
  if (name_[0] == '@') { // an abstract socket
    address_.sun_path[0] = '\0';
  }
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 ||
      setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) != 0) {
    failed();
  }
  const std::string process = variable("WATCHDOG_PID");
  if (process.empty() || process == std::to_string(getpid())) {
    watchdog_half_ = std::chrono::microseconds(number_of(variable("WATCHDOG_USEC")) / 2);
  }
}

Notify::~Notify() {
  if (socket_ >= 0) {
    close(socket_);
  }
}

void Notify::waiting(const std::string &why) {
  if (why != waited_for_) {
    waited_for_ = why;
    send("STATUS=" + why);
  }
}

void Notify::ready(const std::string &status) {
  send("READY=1\nSTATUS=" + status);
}

void Notify::reloading() {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()) +
       "\nSTATUS=reading the configuration again");
}

void Notify::stopping() {
  send("STOPPING=1\nSTATUS=draining");
}

bool Notify::watchdog_due() {
  const auto now = std::chrono::steady_clock::now();
  if (socket_ < 0 || watchdog_half_.count() == 0 || now - watchdog_at_ < watchdog_half_) {
    return false;
  }
  watchdog_at_ = now;
  return true;
}

void Notify::send(const std::string &text) {
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
  if (socket_ >= 0 && sendto(socket_, text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr *>(&address_), size) < 0) {
    failed();
  }
}

void Notify::failed() {
  if (!std::exchange(failed_, true)) {
    const std::string why = std::strerror(errno);
    log_.write(
        LogLevel::kWarn,
        "cannot tell the service manager how this process is; NOTIFY_SOCKET must name a unix "
        "socket that this user may write to",
        {{"socket", name_}, {"why", why}});
  }
}

} // namespace culvert::command
