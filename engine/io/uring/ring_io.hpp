// The class behind make_uring_io(); see uring_io.hpp for its rules. Private to this folder.
#pragma once

#include "core/limits.hpp"
#include "io/kernel_io.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <liburing.h>

namespace culvert::uring {

/// user_data is the address of a Completion, or one of these.
inline constexpr std::uint64_t kIgnoredTag = 0;
inline constexpr std::uint64_t kMailTag = 1;
static_assert(alignof(Completion) > 1);

class UringIo final : public KernelIo {
public:
  /// Takes over both.
  UringIo(const io_uring &ring, int wake_descriptor);
  ~UringIo() override;

  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() override;
  [[nodiscard]] const char *name() const override { return "uring"; }

protected:
  void start_accept(Socket socket, Completion &completion) override;
  void start_connect(Socket socket, const Address &address, Completion &completion) override;
  void start_poll(Socket socket, Interest interest, Completion &completion) override;
  void start_cancel(Completion &target, Completion &with) override;
  void reap() override;
  bool anything_new() override;

private:
  io_uring_sqe &next_entry();
  [[nodiscard]] bool kernel_has_work() const;
  void enter();
  void copy_completions();
  void finished(std::uint64_t tag, int result, bool more);
  void poll_finished(Completion &completion, int result, bool more);
  void poll_patiently(Completion &completion);
  void end_poll(Completion &completion);
  void watch_mail();

  io_uring ring_;
  int host_descriptor_ = -1; // once a host has asked for it
  bool watching_mail_ = false;
  // A connect's address must stay until its entry is submitted: one for each entry of the queue.
  std::array<socket_calls::KernelAddress, kSubmissionEntries> addresses_;
};

} // namespace culvert::uring
