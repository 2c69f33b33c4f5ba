// A simulated kernel: sockets that behave like Linux's, over links that can be slow or broken.
//
// Used on the one thread that drives the world, by SimIo (what an Io asks) and SimWorld (what a
// test asks). It owns every socket; a socket's id is good in every Io of the world, and is never
// used twice. Using a closed socket, or closing one with an operation in flight, is asserted.
//
// Of Linux it keeps: bytes in a receive buffer survive a reset, bytes on their way do not; a
// pending error is told once, to whichever of receive and send asks first, after that receive says
// 0 and send -EPIPE; an end that was received hides a reset that follows it; close() with unread
// bytes, or with linger 0, resets; a reset that is lost is answered when the other end speaks;
// unsent_bytes() counts a FIN.
#pragma once

#include "io/io.hpp"
#include "support/sim/sim_network.hpp"
#include "support/sim/sim_operations.hpp"
#include "support/sim/sim_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace culvert {

/// A SYN is sent after 0, 1, 3, 7, 15, 31 and 63 s; the connect fails after 127 s.
inline constexpr std::uint64_t kSimSynTries = 7;
/// Unacknowledged bytes are given up after this: Linux's 15 retransmissions.
inline constexpr std::uint64_t kSimGiveUpNs = 924'000'000'000;

class SimKernel {
public:
  explicit SimKernel(SimCore &core) : core_(core), operations_(core) {}

  // --- what an Io asks; `host` is the Io's -----------------------------------------------------
  Result<Socket> listen(int host, const Address &address);
  Result<Socket> open(int host, const Address &address);
  int receive(Socket socket, std::span<std::byte> into);
  int send(Socket socket, std::span<const std::span<const std::byte>> parts);
  int shutdown_send(Socket socket);
  int set_option(Socket socket, SocketOption option, int value);
  Result<Address> local_address(Socket socket);
  Result<Address> peer_address(Socket socket);
  int unsent_bytes(Socket socket);
  std::uint64_t silent_ms(Socket socket);
  void close(Socket socket);

  void start_accept(SimIo &io, Socket socket, Completion &completion);
  void start_connect(SimIo &io, Socket socket, const Address &address, Completion &completion);
  void start_poll(SimIo &io, Socket socket, Interest interest, Completion &completion);
  void start_cancel(SimIo &io, Completion &target, Completion &with);

  // --- what the world asks ---------------------------------------------------------------------
  void handle(const SimEvent &event);
  void reset_both(Socket socket);
  void finish_both(Socket socket);
  void time_out(Socket socket);
  void lose(Socket socket);
  void lose_between(int host, int other);
  std::size_t orphan(int host);
  void clog(Socket socket, std::uint64_t duration_ns);
  void label(Socket socket, SimPhase phase);
  [[nodiscard]] SimPhase phase(const SimSocket &socket) const;
  /// The open socket with these two addresses.
  [[nodiscard]] std::optional<Socket> find(const Address &local, const Address &peer) const;
  /// After paths were cut or mended, or links unclogged: what waited goes on.
  void paths_changed();
  void unclog_all();
  [[nodiscard]] std::vector<const SimSocket *> connections() const;
  /// One line for each socket that a user has not closed.
  [[nodiscard]] std::vector<std::string> open_sockets() const;
  [[nodiscard]] std::size_t operations_in_flight() const { return operations_.size(); }

  SimNetwork network;
  std::function<SimPhase(Socket)> classify;
  std::uint16_t stream_port = 0; // see SimWorld::stream_after()
  std::uint64_t stream_after_bytes = 0;

private:
  SimSocket &make(int host, const Address &local);
  SimSocket *find(int id);
  SimSocket &user_socket(Socket socket); // asserts that the user has it
  void destroy(SimSocket &socket);

  // sim_connect.cpp
  void on_syn(std::uint64_t operation_id, std::uint64_t tries);
  int knock(SimOperation &operation, SimSocket &socket);
  void end_connect(std::uint64_t operation_id, int result, std::uint64_t after_ns = 0);
  void serve_backlog(SimSocket &listener);
  void accept_next(SimSocket &listener, std::uint64_t operation_id);
  void refuse(SimSocket &waiting);
  void close_listener(SimSocket &listener);

  // sim_stream.cpp
  static std::size_t part(const SimStrike &strike, std::size_t count);
  int no_buffers(SimFault fault, const SimSocket &socket);
  void schedule_delivery(SimSocket &socket);
  void on_delivery(SimSocket &socket);
  void deliver_bytes(SimSocket &from, SimSocket &to);
  void deliver_end(SimSocket &from, SimSocket *to);
  void break_stream(SimSocket &socket, int error);
  void close_stream(SimSocket &socket);
  void close_unix(SimSocket &socket);
  std::uint64_t latency();

  // sim_outage.cpp
  bool path_dead(const SimSocket &socket);
  void watch(SimSocket &socket);
  void on_give_up(SimSocket &socket, std::uint64_t watch_number);

  // sim_poll.cpp
  static bool ready(const SimSocket &socket, Interest interest);
  void wake(SimSocket &socket);
  void race(std::uint64_t target_id);
  SimStrike strike(SimCall::Kind kind, const SimSocket &socket, std::size_t bytes = 0,
                   bool is_ready = false);

  SimCore &core_;
  SimOperations operations_;
  std::vector<std::unique_ptr<SimSocket>> sockets_; // by id
};

/// The failure of an immediate operation, in an operator's words.
Status sim_failure(int error, const std::string &what);

} // namespace culvert
