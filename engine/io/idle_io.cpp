#include "io/idle_io.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace culvert {

Status IdleIo::no_sockets() {
  return Status::failure(Code::kUnsupported, Source::kLocal, Retry::kNever,
                         "there are no sockets here");
}

int IdleIo::receive(Socket, std::span<std::byte>) {
  return -ENOSYS;
}

int IdleIo::send(Socket, std::span<const std::span<const std::byte>>) {
  return -ENOSYS;
}

int IdleIo::shutdown_send(Socket) {
  return -ENOSYS;
}

int IdleIo::set_option(Socket, SocketOption, int) {
  return -ENOSYS;
}

void IdleIo::start_accept(Socket, Completion &completion) {
  complete(completion, {-ENOSYS});
}

void IdleIo::start_connect(Socket, const Address &, Completion &completion) {
  complete(completion, {-ENOSYS});
}

void IdleIo::start_poll(Socket, Interest, Completion &completion) {
  complete(completion, {-ENOSYS});
}

void IdleIo::start_cancel(Completion &, Completion &with) {
  complete(with, {-ENOENT}); // there is no operation that could be cancelled
}

void IdleIo::start_deliver(Io *, Mail &mail) {
  const std::lock_guard lock(mutex_);
  mailbox_.push(mail);
  arrived_.notify_one();
}

void IdleIo::reap() {
  mailbox_.drain([this](Mail &mail) { run_mail(mail); });
}

void IdleIo::wait(std::uint64_t deadline_ns) {
  constexpr std::uint64_t kLongestNs = 3'600'000'000'000; // a wait may end early
  if (has_ready()) {
    return;
  }
  const std::uint64_t now = now_ns();
  const std::uint64_t until = std::min(deadline_ns, nearest_deadline_ns());
  const std::uint64_t rest = until > now ? std::min(until - now, kLongestNs) : 0;
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, std::chrono::nanoseconds(rest), [this] { return !mailbox_.empty(); });
}

} // namespace culvert
