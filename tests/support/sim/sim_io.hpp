// The Io of a simulated shard: io.hpp's contract over a SimKernel.
//
// Made by SimWorld::make_io() and owned by the world; several run on the one thread that drives the
// world, and each stands on a host of the simulated network. deliver(), too, may be called from
// that thread only: a second thread would make a run depend on more than its seed. wait() lets the
// rest of the world, other Ios included, go on until this one has something to run.
#pragma once

#include "io/io.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace culvert {

class SimWorld;

class SimIo final : public Io {
public:
  SimIo(SimWorld &world, std::string label, int host, int index);
  ~SimIo() override;

  [[nodiscard]] std::uint64_t now_ns() const override;
  [[nodiscard]] std::int64_t wall_s() const override;
  Result<Socket> listen(const Address &address) override;
  Result<Socket> open(const Address &address) override;
  int receive(Socket socket, std::span<std::byte> into) override;
  int send(Socket socket, std::span<const std::span<const std::byte>> parts) override;
  int shutdown_send(Socket socket) override;
  int set_option(Socket socket, SocketOption option, int value) override;
  Result<Address> local_address(Socket socket) override;
  Result<Address> peer_address(Socket socket) override;
  int unsent_bytes(Socket socket) override;
  /// How often that was asked, which is a system call each.
  [[nodiscard]] std::uint64_t unsent_asked() const { return unsent_asked_; }
  std::uint64_t silent_ms(Socket socket) override;
  void close(Socket socket) override;
  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() override { return -1; }
  [[nodiscard]] const char *name() const override { return "sim"; }

  /// For a test that counts what this loop does, and prices it with SimWorld::spend(): after each
  /// receive() that brought bytes or the end, and before each close().
  std::function<void(Socket)> on_received;
  std::function<void(Socket)> on_close;

  /// The name the world knows it by.
  [[nodiscard]] const std::string &label() const { return label_; }
  [[nodiscard]] int host() const { return host_; }
  [[nodiscard]] int index() const { return index_; }

private:
  friend class SimWorld;
  friend class SimOperations;
  void start_accept(Socket socket, Completion &completion) override;
  void start_connect(Socket socket, const Address &address, Completion &completion) override;
  void start_poll(Socket socket, Interest interest, Completion &completion) override;
  void start_cancel(Completion &target, Completion &with) override;
  void start_deliver(Io *from, Mail &mail) override;
  void reap() override;
  bool anything_new() override { return !finished_.empty() || !inbox_.empty(); }

  /// For the world: what the next reap finds.
  void finished(Completion &completion, Outcome outcome);
  void arrived(Mail &mail) { inbox_.push_back(&mail); }
  /// run_ready() would run something.
  [[nodiscard]] bool has_work();

  struct Finished {
    Completion *completion;
    Outcome outcome;
  };
  SimWorld &world_;
  const std::string label_;
  const int host_;
  const int index_;
  std::uint64_t unsent_asked_ = 0;
  std::vector<Finished> finished_;
  std::deque<Mail *> inbox_;
  bool more_ = true; // the last run_ready() left something, or one has never been
};

} // namespace culvert
