// The class behind make_uring_io(); see uring_io.hpp for its rules. Private to this folder.
#pragma once

#include "core/limits.hpp"
#include "io/io.hpp"
#include "io/mail_stack.hpp"
#include "io/socket_calls.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <liburing.h>
#include <span>

namespace culvert::uring {

/// user_data is the address of a Completion, or one of these.
inline constexpr std::uint64_t kIgnoredTag = 0;
inline constexpr std::uint64_t kMailTag = 1;
static_assert(alignof(Completion) > 1);

class UringIo final : public Io {
public:
  /// Takes over both.
  UringIo(const io_uring &ring, int wake_descriptor);
  ~UringIo() override;

  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::int64_t wall_s() const override;
  Result<Socket> listen(const Address &address) override { return socket_calls::listen(address); }
  Result<Socket> open(const Address &address) override { return socket_calls::open(address); }
  Result<Socket> adopt(int descriptor) override { return socket_calls::adopt(descriptor); }
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
  std::uint64_t silent_ms(Socket socket) override { return socket_calls::silent_ms(socket); }
  void close(Socket socket) override;
  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() override;
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
  void poll_finished(Completion &completion, int result, bool more);
  void poll_patiently(Completion &completion);
  void end_poll(Completion &completion);
  void watch_mail();
  void wake();

  io_uring ring_;
  const int wake_descriptor_;
  int host_descriptor_ = -1; // once a host has asked for it
  bool watching_mail_ = false;
  MailStack mailbox_;
  std::atomic<int> visitors_ = 0; // threads that are using this object now
  // A connect's address must stay until its entry is submitted: one for each entry of the queue.
  std::array<socket_calls::KernelAddress, kSubmissionEntries> addresses_;
};

} // namespace culvert::uring
