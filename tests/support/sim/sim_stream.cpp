// How bytes, ends and resets travel over a simulated connection.
#include "support/sim/sim_kernel.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace culvert {

std::uint64_t SimKernel::latency() {
  return network.link.latency_ns + core_.random.below(network.link.jitter_ns + 1);
}

int SimKernel::no_buffers(SimFault fault, const SimSocket &socket) {
  if (!core_.strikes(fault, phase(socket))) {
    return 0;
  }
  return core_.random.below(2) == 0 ? -ENOBUFS : -ENOMEM;
}

/// How many of the bytes a short call moves.
std::size_t SimKernel::part(const SimStrike &strike, std::size_t count) {
  switch (strike.kind) {
  case SimStrike::Kind::kOne:
    return std::min<std::size_t>(count, 1);
  case SimStrike::Kind::kHalf:
    return (count + 1) / 2;
  case SimStrike::Kind::kAllButOne:
    return count < 2 ? count : count - 1;
  default:
    return count;
  }
}

int SimKernel::receive(Socket socket, std::span<std::byte> into) {
  SimSocket &target = user_socket(socket);
  CULVERT_ASSERT(!into.empty());
  if (target.state == SimSocket::State::kFresh || target.state == SimSocket::State::kListening) {
    return -ENOTCONN;
  }
  if (const int lacking = no_buffers(SimFault::kNoBuffersOnReceive, target); lacking != 0) {
    return lacking;
  }
  const SimStrike strike =
      this->strike(SimCall::Kind::kReceive, target, std::min(into.size(), target.incoming.size()));
  if (strike.kind == SimStrike::Kind::kError) {
    return -strike.error;
  }
  std::size_t count = part(strike, std::min(into.size(), target.incoming.size()));
  if (count > 1 && core_.strikes(SimFault::kShortRead, phase(target))) {
    count = 1 + core_.random.below(count - 1);
  }
  if (count > 0) {
    const std::span<const std::byte> bytes = target.incoming.front(count);
    std::copy(bytes.begin(), bytes.end(), into.begin());
    target.incoming.pop(count);
    core_.trace.mix(count);
    if (SimSocket *peer = find(target.peer)) {
      schedule_delivery(*peer);
    }
    return static_cast<int>(count);
  }
  if (target.end_received) {
    return 0; // as Linux: an end that was received hides a later reset
  }
  if (target.pending_error != 0) {
    return -std::exchange(target.pending_error, 0);
  }
  return target.state == SimSocket::State::kBroken ? 0 : -EAGAIN;
}

int SimKernel::send(Socket socket, std::span<const std::span<const std::byte>> parts) {
  SimSocket &target = user_socket(socket);
  CULVERT_ASSERT(parts.size() <= kGatherParts);
  std::size_t wanted = 0;
  for (const auto &part : parts) {
    wanted += part.size();
  }
  const SimStrike strike =
      this->strike(SimCall::Kind::kSend, target, std::min(wanted, target.send_room()));
  if (target.state == SimSocket::State::kConnecting) {
    return -EAGAIN;
  }
  if (strike.kind == SimStrike::Kind::kError) {
    return -strike.error;
  }
  if (target.pending_error != 0) {
    return -std::exchange(target.pending_error, 0);
  }
  const SimSocket *peer = find(target.peer);
  const bool nobody = target.is_unix() && (peer == nullptr || !peer->held());
  if (target.state != SimSocket::State::kConnected || target.end_queued || nobody) {
    return -EPIPE;
  }
  if (const int lacking = no_buffers(SimFault::kNoBuffersOnSend, target); lacking != 0) {
    return lacking;
  }
  std::size_t count = part(strike, std::min(wanted, target.send_room()));
  if (count == 0) {
    return wanted == 0 ? 0 : -EAGAIN;
  }
  if (count > 1 && core_.strikes(SimFault::kShortWrite, phase(target))) {
    count = 1 + core_.random.below(count - 1);
  }
  std::size_t left = count;
  for (const auto &part : parts) {
    const std::size_t taken = std::min(left, part.size());
    target.outgoing.push(part.first(taken));
    left -= taken;
  }
  schedule_delivery(target);
  return static_cast<int>(count);
}

int SimKernel::shutdown_send(Socket socket) {
  SimSocket &target = user_socket(socket);
  const SimStrike strike = this->strike(SimCall::Kind::kShutdown, target);
  if (strike.kind == SimStrike::Kind::kError) {
    return -strike.error;
  }
  if (target.state != SimSocket::State::kConnected) {
    return -ENOTCONN;
  }
  target.end_queued = true;
  wake(target);
  schedule_delivery(target);
  return 0;
}

void SimKernel::schedule_delivery(SimSocket &socket) {
  if (socket.delivering || socket.state != SimSocket::State::kConnected || !socket.outstanding()) {
    return;
  }
  if (path_dead(socket)) {
    watch(socket);
    return;
  }
  const SimSocket *peer = find(socket.peer);
  const bool full = peer != nullptr && peer->takes_bytes() && peer->receive_room() == 0;
  if (full && !socket.outgoing.empty()) {
    return; // the peer's receive() goes on with it
  }
  std::uint64_t delay_ns = latency();
  if (core_.strikes(SimFault::kDelayedDelivery, phase(socket))) {
    delay_ns += core_.random.below(kSimLongestDelayNs);
  }
  if (core_.strikes(SimFault::kCloggedLink, phase(socket))) {
    socket.clogged_until_ns = core_.now_ns + core_.random.below(kSimLongestClogNs);
  }
  if (socket.clogged_until_ns > core_.now_ns) {
    delay_ns = std::max(delay_ns, socket.clogged_until_ns - core_.now_ns);
  }
  socket.delivering = true;
  core_.after(delay_ns, SimEvent::Kind::kDelivery, static_cast<std::uint64_t>(socket.id));
}

void SimKernel::on_delivery(SimSocket &socket) {
  if (socket.clogged_until_ns > core_.now_ns) { // clogged while it was under way
    core_.after(socket.clogged_until_ns - core_.now_ns, SimEvent::Kind::kDelivery,
                static_cast<std::uint64_t>(socket.id));
    return;
  }
  socket.delivering = false;
  if (socket.state != SimSocket::State::kConnected || !socket.outstanding()) {
    return;
  }
  if (!socket.is_unix() && core_.strikes(SimFault::kHalfOpen, phase(socket))) {
    lose(Socket{socket.id});
  }
  if (path_dead(socket)) {
    watch(socket);
    return;
  }
  if (!socket.is_unix() && core_.strikes(SimFault::kReset, phase(socket))) {
    reset_both(Socket{socket.id});
    return;
  }
  SimSocket *peer = find(socket.peer);
  if (peer != nullptr && peer->state == SimSocket::State::kBroken) {
    peer = nullptr; // it has given up what the other end still believes in
  }
  if (socket.outgoing.empty()) {
    deliver_end(socket, peer);
  } else if (peer != nullptr && peer->takes_bytes()) {
    deliver_bytes(socket, *peer);
    schedule_delivery(socket);
  } else {
    if (peer != nullptr) {
      break_stream(*peer, ECONNRESET); // closed, and still sending: that is lost, too
    }
    break_stream(socket, ECONNRESET); // the answer of a host that has no such socket
  }
}

void SimKernel::deliver_bytes(SimSocket &from, SimSocket &to) {
  const std::size_t most = std::min(from.outgoing.size(), to.receive_room());
  const std::size_t drawn = 1 + core_.random.below(network.link.largest_delivery);
  const std::size_t count = std::min(most, drawn);
  const std::span<const std::byte> bytes = from.outgoing.front(count);
  core_.trace.mix(bytes);
  to.incoming.push(bytes);
  from.outgoing.pop(count);
  from.carried += count;
  to.carried += count;
  wake(to);
  wake(from);
}

void SimKernel::deliver_end(SimSocket &from, SimSocket *to) {
  from.end_delivered = true;
  if (to != nullptr) {
    to->end_received = true;
    wake(*to);
  } else if (!from.end_received) { // the other end went without a word that arrived
    break_stream(from, ECONNRESET);
    return;
  }
  if (!from.held()) {
    destroy(from);
  }
}

/// A reset arrives, or a time-out is final. What was on its way in either direction is gone.
void SimKernel::break_stream(SimSocket &socket, int error) {
  const bool over = socket.end_received && socket.end_delivered;
  if (socket.state != SimSocket::State::kConnected || (over && error == ECONNRESET)) {
    return; // TIME_WAIT knows no reset
  }
  core_.trace.mix(0xB0000000U + static_cast<std::uint64_t>(socket.id));
  socket.outgoing.clear();
  socket.state = SimSocket::State::kBroken;
  socket.pending_error = error == ECONNRESET && socket.end_received ? EPIPE : error;
  if (!socket.held()) {
    destroy(socket);
    return;
  }
  wake(socket);
}

void SimKernel::close_stream(SimSocket &socket) {
  if (socket.incoming.empty() && (!socket.linger_zero || socket.orphan)) {
    socket.end_queued = true;
    if (socket.end_delivered) {
      destroy(socket);
    } else {
      schedule_delivery(socket);
    }
    return;
  }
  if (!path_dead(socket)) { // else the reset is lost, like everything
    const std::uint64_t clogged_ns =
        socket.clogged_until_ns > core_.now_ns ? socket.clogged_until_ns - core_.now_ns : 0;
    core_.after(clogged_ns + latency(), SimEvent::Kind::kReset,
                static_cast<std::uint64_t>(socket.peer));
  }
  destroy(socket);
}

/// A unix socket's bytes are in the peer's queue at once, so no close loses them.
void SimKernel::close_unix(SimSocket &socket) {
  SimSocket *peer = find(socket.peer);
  if (peer == nullptr || peer->state != SimSocket::State::kConnected) {
    destroy(socket);
    return;
  }
  const bool unread = !socket.incoming.empty() || !peer->outgoing.empty();
  peer->incoming.push(socket.outgoing.front(socket.outgoing.size()));
  peer->outgoing.clear();
  if (unread) {
    break_stream(*peer, ECONNRESET);
  } else {
    peer->end_received = peer->end_queued = peer->end_delivered = true;
    wake(*peer);
  }
  destroy(socket);
}

} // namespace culvert
