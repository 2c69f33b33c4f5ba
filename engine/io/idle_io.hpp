// An Io without sockets, with timers, mail and yield() only. It is for a plugin's answer outside an
// engine, where io_uring is not needed.
//
// Used by the thread that made it; deliver() and post() to it may come from any thread. It owns
// only its mailbox.
#pragma once

#include "core/clock.hpp"
#include "io/io.hpp"
#include "io/mail_stack.hpp"

#include <condition_variable>
#include <mutex>

namespace culvert {

class IdleIo final : public Io {
public:
  [[nodiscard]] std::uint64_t now_ns() const override { return clock_.now_ns(); }
  [[nodiscard]] std::int64_t wall_s() const override { return clock_.wall_s(); }

  Result<Socket> listen(const Address &) override { return no_sockets(); }
  Result<Socket> open(const Address &) override { return no_sockets(); }
  int receive(Socket, std::span<std::byte>) override;
  int send(Socket, std::span<const std::span<const std::byte>>) override;
  int shutdown_send(Socket) override;
  int set_option(Socket, SocketOption, int) override;
  Result<Address> local_address(Socket) override { return no_sockets(); }
  Result<Address> peer_address(Socket) override { return no_sockets(); }
  int unsent_bytes(Socket) override { return 0; }
  std::uint64_t silent_ms(Socket) override { return 0; }
  void close(Socket) override {}
  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() override { return -1; }
  [[nodiscard]] const char *name() const override { return "idle"; }

protected:
  void start_accept(Socket, Completion &completion) override;
  void start_connect(Socket, const Address &, Completion &completion) override;
  void start_poll(Socket, Interest, Completion &completion) override;
  void start_cancel(Completion &target, Completion &with) override;
  void start_deliver(Io *from, Mail &mail) override;
  void reap() override;
  bool anything_new() override { return !mailbox_.empty(); }

private:
  static Status no_sockets();

  SystemClock clock_;
  MailStack mailbox_;
  std::mutex mutex_; // only for the sleep
  std::condition_variable arrived_;
};

} // namespace culvert
