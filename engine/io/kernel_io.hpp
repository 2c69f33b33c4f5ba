// What the backends with a real kernel have in common: the clocks, the immediate calls
// (socket_calls.hpp), and the mailbox with the eventfd that wakes a sleeping shard.
//
// Used by the thread that drives it; deliver() and post() to it may come from any thread. It owns
// the eventfd. in_flight() must be 0 before it is destroyed; the destructor waits for other threads
// that are still inside a wake-up.
#pragma once

#include "core/clock.hpp"
#include "io/io.hpp"
#include "io/mail_stack.hpp"
#include "io/socket_calls.hpp"

#include <atomic>
#include <cstdint>
#include <span>

namespace culvert {

class KernelIo : public Io {
public:
  ~KernelIo() override;

  [[nodiscard]] std::uint64_t now_ns() const final { return clock_.now_ns(); }
  [[nodiscard]] std::int64_t wall_s() const final { return clock_.wall_s(); }
  Result<Socket> listen(const Address &address) final { return socket_calls::listen(address); }
  Result<Socket> open(const Address &address) final { return socket_calls::open(address); }
  Result<Socket> adopt(int descriptor) final { return socket_calls::adopt(descriptor); }
  int receive(Socket socket, std::span<std::byte> into) final {
    return socket_calls::receive(socket, into);
  }
  int send(Socket socket, std::span<const std::span<const std::byte>> parts) final {
    return socket_calls::send(socket, parts);
  }
  int shutdown_send(Socket socket) final { return socket_calls::shutdown_send(socket); }
  int set_option(Socket socket, SocketOption option, int value) final {
    return socket_calls::set_option(socket, option, value);
  }
  Result<Address> local_address(Socket socket) final { return socket_calls::local_address(socket); }
  Result<Address> peer_address(Socket socket) final { return socket_calls::peer_address(socket); }
  int unsent_bytes(Socket socket) final { return socket_calls::unsent_bytes(socket); }
  std::uint64_t silent_ms(Socket socket) final { return socket_calls::silent_ms(socket); }
  void close(Socket socket) override;

protected:
  /// Takes over the eventfd. The backend must notice each write to it: the counter is never read,
  /// and 2^64 writes never happen.
  explicit KernelIo(int wake_descriptor) : wake_descriptor_(wake_descriptor) {}

  void start_deliver(Io *from, Mail &mail) final;
  void lent_mail_done() final;

  [[nodiscard]] int wake_descriptor() const { return wake_descriptor_; }
  [[nodiscard]] bool has_mail() const { return !mailbox_.empty(); }
  /// Runs all mail that has arrived.
  void run_arrived_mail();

private:
  void wake();

  const SystemClock clock_;
  const int wake_descriptor_;
  MailStack mailbox_;
  std::atomic<int> visitors_ = 0; // threads that are using this object now
};

} // namespace culvert
