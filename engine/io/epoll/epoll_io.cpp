#include "io/epoll/epoll_io.hpp"

#include "io/advice.hpp"
#include "io/epoll/epoll_class.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace culvert {
namespace epoll {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

} // namespace

EpollIo::EpollIo(int epoll, int wake_descriptor) : KernelIo(wake_descriptor), epoll_(epoll) {
  crowded_retry_.bind<&EpollIo::try_crowded>(*this);
}

EpollIo::~EpollIo() {
  ::close(epoll_);
}

void EpollIo::close(Socket socket) {
  leave(socket);
  KernelIo::close(socket);
}

// --- the loop ---------------------------------------------------------------------------------

void EpollIo::collect(int timeout_ms) {
  submit();
  const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                               has_ready() ? 0 : timeout_ms);
  CULVERT_ASSERT(count >= 0 || errno == EINTR);
  ++kernel_counts_.calls;
  kernel_counts_.completions += static_cast<std::uint64_t>(std::max(count, 0));
  for (int i = 0; i < count; ++i) {
    if (events_[i].data.fd != wake_descriptor()) {
      dispatch(events_[i].data.fd, events_[i].events);
    }
  }
}

void EpollIo::reap() {
  if (!std::exchange(collected_, false)) {
    collect(0);
  }
  run_arrived_mail();
}

bool EpollIo::anything_new() {
  const bool told = submit(); // what the kernel knows now may have happened already
  return told || has_ready() || has_mail();
}

void EpollIo::wait(std::uint64_t deadline_ns) {
  if (has_ready() || has_mail()) {
    return;
  }
  const std::uint64_t until_ns = std::min(deadline_ns, nearest_deadline_ns());
  int timeout_ms = -1;
  if (until_ns != Timers::kNever) {
    const std::uint64_t now = now_ns();
    if (until_ns <= now) {
      return;
    }
    const std::uint64_t left_ms = (until_ns - now + kNsPerMs - 1) / kNsPerMs;
    timeout_ms = static_cast<int>(std::min<std::uint64_t>(left_ms, INT_MAX));
  }
  collect(timeout_ms);
  collected_ = true;
}

} // namespace epoll

namespace {

Status failure(int error) {
  const bool no_descriptor = error == EMFILE || error == ENFILE;
  Status status = Status::failure(
      no_descriptor ? Code::kNoDescriptor : Code::kInternal, Source::kLocal, Retry::kNever,
      no_descriptor ? std::string("no descriptor for an epoll instance; ") + kOpenFilesAdvice
                    : std::string("cannot make an epoll instance: ") + std::strerror(error));
  status.os_error = error;
  return status;
}

} // namespace

Result<std::unique_ptr<Io>> make_epoll_io() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int wake_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event each_write{};
  each_write.events = EPOLLIN | EPOLLET; // the counter is never read
  each_write.data.fd = wake_descriptor;
  if (epoll < 0 || wake_descriptor < 0 ||
      epoll_ctl(epoll, EPOLL_CTL_ADD, wake_descriptor, &each_write) != 0) {
    Status status = failure(errno);
    for (const int descriptor : {epoll, wake_descriptor}) {
      if (descriptor >= 0) {
        ::close(descriptor);
      }
    }
    return status;
  }
  return std::unique_ptr<Io>(std::make_unique<epoll::EpollIo>(epoll, wake_descriptor));
}

} // namespace culvert
