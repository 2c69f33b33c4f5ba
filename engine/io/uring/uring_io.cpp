#include "io/uring/uring_io.hpp"

#include "io/uring/probe.hpp"
#include "io/uring/ring_io.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace culvert {
namespace uring {
namespace {

constexpr std::uint64_t kNsPerSec = 1'000'000'000;

} // namespace

UringIo::UringIo(const io_uring &ring, int wake_descriptor)
    : KernelIo(wake_descriptor), ring_(ring) {
  CULVERT_ASSERT(ring_.sq.ring_entries <= addresses_.size());
  watch_mail();
}

UringIo::~UringIo() {
  io_uring_queue_exit(&ring_);
  if (host_descriptor_ >= 0) {
    ::close(host_descriptor_);
  }
}

int UringIo::descriptor() {
  // The ring's own descriptor does not wake a thread that polls it: completions wait as deferred
  // task work, and the kernel wakes only a thread that waits inside the ring. A registered eventfd
  // is signalled.
  if (host_descriptor_ >= 0) {
    return host_descriptor_;
  }
  const int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0 || io_uring_register_eventfd(&ring_, made) != 0) {
    ::close(made);
    return -1;
  }
  if (anything_new()) {
    CULVERT_ASSERT(eventfd_write(made, 1) == 0);
  }
  host_descriptor_ = made;
  return made;
}

// --- mail -------------------------------------------------------------------------------------

void UringIo::watch_mail() {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_poll_multishot(&entry, wake_descriptor(), POLLIN);
  entry.user_data = kMailTag;
  watching_mail_ = true;
}

// --- the loop ---------------------------------------------------------------------------------

bool UringIo::kernel_has_work() const {
  return (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

bool UringIo::anything_new() {
  return kernel_has_work() || io_uring_cq_ready(&ring_) > 0 || io_uring_sq_ready(&ring_) > 0 ||
         has_mail();
}

void UringIo::enter() {
  ++kernel_counts_.calls;
  const int result = io_uring_submit_and_get_events(&ring_);
  // EBUSY: completions must be copied out first; EAGAIN: no memory for a request right now
  CULVERT_ASSERT(result >= 0 || result == -EINTR || result == -EBUSY || result == -EAGAIN);
}

void UringIo::copy_completions() {
  while (io_uring_cq_ready(&ring_) > 0) {
    const io_uring_cqe &entry = ring_.cq.cqes[*ring_.cq.khead & ring_.cq.ring_mask];
    const std::uint64_t tag = entry.user_data;
    const int result = entry.res;
    const bool more = (entry.flags & IORING_CQE_F_MORE) != 0;
    ++kernel_counts_.completions;
    io_uring_cq_advance(&ring_, 1); // first, because what follows may call this function again
    finished(tag, result, more);
  }
}

void UringIo::reap() {
  if (host_descriptor_ >= 0) {
    eventfd_t signals = 0; // first, so that a later event signals again
    static_cast<void>(eventfd_read(host_descriptor_, &signals));
  }
  do {
    if (kernel_has_work() || io_uring_sq_ready(&ring_) > 0) {
      enter();
    }
    copy_completions();
  } while ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0);
  run_arrived_mail();
  if (!watching_mail_) {
    watch_mail(); // a wake-up in between is still in the counter and fires at once
  }
}

void UringIo::wait(std::uint64_t deadline_ns) {
  if (has_ready() || has_mail()) {
    return;
  }
  const std::uint64_t until_ns = std::min(deadline_ns, nearest_deadline_ns());
  io_uring_cqe *first = nullptr;
  int result = 0;
  if (until_ns == Timers::kNever) {
    ++kernel_counts_.calls;
    result = io_uring_submit_and_wait(&ring_, 1);
  } else {
    const std::uint64_t now = now_ns();
    if (until_ns <= now) {
      return; // a timer is due already: run_ready() submits, without the cost of a wait
    }
    const std::uint64_t left_ns = until_ns - now;
    ++kernel_counts_.calls;
    __kernel_timespec timeout{static_cast<std::int64_t>(left_ns / kNsPerSec),
                              static_cast<long long>(left_ns % kNsPerSec)};
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }
  CULVERT_ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY ||
                 result == -EAGAIN);
}

} // namespace uring

Result<std::unique_ptr<Io>> make_uring_io(Log &log) {
  io_uring ring{};
  Status made = uring::make_ring(ring, log);
  if (!made.ok()) {
    return made;
  }
  const int wake_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_descriptor < 0) {
    Status status = uring::no_ring(errno, -1);
    io_uring_queue_exit(&ring);
    return status;
  }
  return std::unique_ptr<Io>(std::make_unique<uring::UringIo>(ring, wake_descriptor));
}

} // namespace culvert
