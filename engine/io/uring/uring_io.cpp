#include "io/uring/uring_io.hpp"

#include "core/limits.hpp"
#include "io/mail_stack.hpp"
#include "io/socket_calls.hpp"
#include "io/uring/compat.hpp"
#include "io/uring/probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace culvert {
namespace {

constexpr std::uint64_t kNsPerSec = 1'000'000'000;
constexpr std::uint64_t kMailTag = 1; // no completion has an odd address
static_assert(alignof(Completion) > 1);

unsigned events_of(Interest interest) {
  switch (interest) { // errors and a hang-up of both directions always fire
  case Interest::kReadable:
    return POLLIN;
  case Interest::kWritable:
    return POLLOUT;
  case Interest::kHangup:
    return POLLRDHUP;
  case Interest::kBroken:
    return 0;
  }
  return 0;
}

std::uint64_t tag_of(Completion &completion) {
  return reinterpret_cast<std::uint64_t>(&completion);
}

class UringIo final : public Io {
public:
  /// Takes over both.
  UringIo(const io_uring &ring, uring::Features features, int wake_descriptor);
  ~UringIo() override;

  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::int64_t wall_s() const override;
  Result<Socket> listen(const Address &address) override { return socket_calls::listen(address); }
  Result<Socket> open(const Address &address) override { return socket_calls::open(address); }
  int receive(Socket socket, std::span<std::byte> into) override {
    return socket_calls::receive(socket, into);
  }
  int send(Socket socket, std::span<const std::span<const std::byte>> parts) override {
    return socket_calls::send(socket, parts);
  }
  int shutdown_send(Socket socket) override { return socket_calls::shutdown_send(socket); }
  int set_option(Socket socket, SocketOption option, int value) override {
    return socket_calls::set_option(socket, option, value);
  }
  Result<Address> local_address(Socket socket) override {
    return socket_calls::local_address(socket);
  }
  Result<Address> peer_address(Socket socket) override {
    return socket_calls::peer_address(socket);
  }
  int unsent_bytes(Socket socket) override { return socket_calls::unsent_bytes(socket); }
  void close(Socket socket) override;
  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() const override { return ring_.ring_fd; }
  [[nodiscard]] const char *name() const override { return "uring"; }

protected:
  void start_accept(Socket socket, Completion &completion) override;
  void start_connect(Socket socket, const Address &address, Completion &completion) override;
  void start_poll(Socket socket, Interest interest, Completion &completion) override;
  void start_cancel(Completion &target, Completion &with) override;
  void start_deliver(Io *from, Mail &mail) override;
  void lent_mail_done() override;
  void reap() override;
  bool anything_new() override;

private:
  io_uring_sqe &next_entry();
  [[nodiscard]] bool kernel_has_work() const;
  void enter();
  void copy_completions();
  void finished(std::uint64_t tag, int result, bool more);
  void watch_mail();
  void wake();

  io_uring ring_;
  const uring::Features features_;
  const int wake_descriptor_;
  bool watching_mail_ = false;
  MailStack mailbox_;
  std::atomic<int> visitors_ = 0; // other threads between their first and last touch of this object
  // A connect's address must stay until its entry is submitted: one for each entry of the queue.
  std::array<socket_calls::KernelAddress, kSubmissionEntries> addresses_;
};

UringIo::UringIo(const io_uring &ring, uring::Features features, int wake_descriptor)
    : ring_(ring), features_(features), wake_descriptor_(wake_descriptor) {
  CULVERT_ASSERT(ring_.sq.ring_entries <= addresses_.size());
  watch_mail();
}

UringIo::~UringIo() {
  CULVERT_ASSERT(in_flight() == 0);
  while (visitors_.load(std::memory_order_acquire) != 0) {
    std::this_thread::yield();
  }
  io_uring_queue_exit(&ring_);
  ::close(wake_descriptor_);
}

std::uint64_t UringIo::now_ns() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kNsPerSec +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::int64_t UringIo::wall_s() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

void UringIo::close(Socket socket) {
  CULVERT_ASSERT(socket.valid());
  ::close(socket.id);
}

// --- starting ---------------------------------------------------------------------------------

io_uring_sqe &UringIo::next_entry() {
  io_uring_sqe *entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) { // full: the kernel takes all of it, or must be relieved of completions
    enter();
    copy_completions();
    entry = io_uring_get_sqe(&ring_);
  }
  return *entry;
}

void UringIo::start_accept(Socket socket, Completion &completion) {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_multishot_accept(&entry, socket.id, nullptr, nullptr, SOCK_CLOEXEC);
  if (features_.accept_poll_first) {
    entry.ioprio |= uring::kAcceptPollFirst;
  }
  entry.user_data = tag_of(completion);
}

void UringIo::start_connect(Socket socket, const Address &address, Completion &completion) {
  io_uring_sqe &entry = next_entry();
  socket_calls::KernelAddress &kernel =
      addresses_[static_cast<std::size_t>(&entry - ring_.sq.sqes)];
  const int result = socket_calls::to_kernel(address, kernel);
  if (result < 0) {
    io_uring_prep_nop(&entry);
    entry.user_data = 0; // the entry is taken; its completion is nobody's
    complete(completion, {result, false});
    return;
  }
  io_uring_prep_connect(&entry, socket.id, kernel.get(), kernel.length);
  entry.user_data = tag_of(completion);
}

void UringIo::start_poll(Socket socket, Interest interest, Completion &completion) {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_poll_add(&entry, socket.id, events_of(interest));
  entry.user_data = tag_of(completion);
}

void UringIo::start_cancel(Completion &target, Completion &with) {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_cancel64(&entry, tag_of(target), 0);
  entry.user_data = tag_of(with);
}

// --- mail -------------------------------------------------------------------------------------

void UringIo::watch_mail() {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_poll_multishot(&entry, wake_descriptor_, POLLIN);
  entry.user_data = kMailTag;
  watching_mail_ = true;
}

void UringIo::wake() {
  // The counter is never read back: the poll fires at each write, and 2^64 of them never come.
  CULVERT_ASSERT(eventfd_write(wake_descriptor_, 1) == 0);
}

void UringIo::start_deliver(Io *from, Mail &mail) {
  if (from == this) {
    mailbox_.push(mail); // anything_new() sees it
    return;
  }
  // From the push on, its shard may run the mail, join and be destroyed.
  visitors_.fetch_add(1, std::memory_order_relaxed);
  if (mailbox_.push(mail)) {
    wake();
  }
  visitors_.fetch_sub(1, std::memory_order_release);
}

void UringIo::lent_mail_done() {
  visitors_.fetch_add(1, std::memory_order_relaxed);
  end_mail();
  wake();
  visitors_.fetch_sub(1, std::memory_order_release);
}

// --- the loop ---------------------------------------------------------------------------------

bool UringIo::kernel_has_work() const {
  return (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

bool UringIo::anything_new() {
  return kernel_has_work() || io_uring_cq_ready(&ring_) > 0 || io_uring_sq_ready(&ring_) > 0 ||
         !mailbox_.empty();
}

void UringIo::enter() {
  const int result = io_uring_submit_and_get_events(&ring_);
  // EBUSY: completions must be copied out first; EAGAIN: no memory for a request right now
  CULVERT_ASSERT(result >= 0 || result == -EINTR || result == -EBUSY || result == -EAGAIN);
}

void UringIo::finished(std::uint64_t tag, int result, bool more) {
  if (tag == kMailTag) {
    watching_mail_ = more;
  } else if (tag != 0) {
    complete(*reinterpret_cast<Completion *>(tag), {result == -EINTR ? -ECANCELED : result, more});
  }
}

void UringIo::copy_completions() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe *entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    finished(entry->user_data, entry->res, (entry->flags & IORING_CQE_F_MORE) != 0);
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
}

void UringIo::reap() {
  do {
    if (kernel_has_work() || io_uring_sq_ready(&ring_) > 0) {
      enter();
    }
    copy_completions();
  } while ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0);
  mailbox_.drain([this](Mail &mail) { run_mail(mail); });
  if (!watching_mail_) {
    watch_mail(); // a wake-up that came in between is still in the counter and fires at once
  }
}

void UringIo::wait(std::uint64_t deadline_ns) {
  if (has_ready() || !mailbox_.empty()) {
    return;
  }
  const std::uint64_t until_ns = std::min(deadline_ns, nearest_deadline_ns());
  io_uring_cqe *first = nullptr;
  int result = 0;
  if (until_ns == Timers::kNever) {
    result = io_uring_submit_and_wait(&ring_, 1);
  } else {
    const std::uint64_t now = now_ns();
    const std::uint64_t left_ns = until_ns > now ? until_ns - now : 0;
    __kernel_timespec timeout{static_cast<std::int64_t>(left_ns / kNsPerSec),
                              static_cast<long long>(left_ns % kNsPerSec)};
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }
  CULVERT_ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY ||
                 result == -EAGAIN);
}

} // namespace

Result<std::unique_ptr<Io>> make_uring_io(Log &log) {
  io_uring ring{};
  Result<uring::Features> features = uring::make_ring(ring, log);
  if (!features.ok()) {
    return features.status();
  }
  const int wake_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_descriptor < 0) {
    Status status = uring::no_ring(errno, -1);
    io_uring_queue_exit(&ring);
    return status;
  }
  return std::unique_ptr<Io>(std::make_unique<UringIo>(ring, features.value(), wake_descriptor));
}

} // namespace culvert
