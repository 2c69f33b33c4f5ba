#include "support/sim/sim_kernel.hpp"

#include "io/socket_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert {

Status sim_failure(int error, const std::string &what) {
  const bool descriptors = error == EMFILE || error == ENFILE;
  const bool memory = error == ENOMEM || error == ENOBUFS;
  const Code code = descriptors ? Code::kNoDescriptor : memory ? Code::kNoMemory : Code::kConfig;
  Status status =
      Status::failure(code, Source::kLocal, code == Code::kConfig ? Retry::kNever : Retry::kBackoff,
                      what + ": " + std::strerror(error));
  status.os_error = error;
  return status;
}

SimSocket &SimKernel::make(int host, const Address &local) {
  auto socket = std::make_unique<SimSocket>();
  socket->id = static_cast<int>(sockets_.size());
  socket->host = host;
  socket->local = local;
  sockets_.push_back(std::move(socket));
  return *sockets_.back();
}

SimSocket *SimKernel::find(int id) {
  if (id < 0 || static_cast<std::size_t>(id) >= sockets_.size()) {
    return nullptr;
  }
  return sockets_[static_cast<std::size_t>(id)].get();
}

SimSocket &SimKernel::user_socket(Socket socket) {
  SimSocket *found = find(socket.id);
  CULVERT_ASSERT(found != nullptr && found->open); // else: used after close()
  return *found;
}

void SimKernel::destroy(SimSocket &socket) {
  CULVERT_ASSERT(socket.operations.empty());
  sockets_[static_cast<std::size_t>(socket.id)].reset();
}

Result<Socket> SimKernel::listen(int host, const Address &address) {
  if (core_.strikes(SimFault::kNoDescriptorOnOpen, SimPhase::kSetUp)) {
    return sim_failure(EMFILE, "cannot listen on " + address.text());
  }
  socket_calls::KernelAddress checked;
  Address bound = address;
  int error = -socket_calls::to_kernel(address, checked);
  if (error == 0) {
    error = network.bind(host, bound, static_cast<int>(sockets_.size()));
  }
  if (error != 0) {
    return sim_failure(error, "cannot listen on " + address.text());
  }
  SimSocket &socket = make(host, bound);
  socket.state = SimSocket::State::kListening;
  return Socket{socket.id};
}

Result<Socket> SimKernel::open(int host, const Address &address) {
  if (core_.strikes(SimFault::kNoDescriptorOnOpen, SimPhase::kSetUp)) {
    return sim_failure(EMFILE, "cannot open a socket towards " + address.text());
  }
  const SimStrike strike = core_.strike({SimCall::Kind::kOpen, host});
  if (strike.kind == SimStrike::Kind::kError) {
    return sim_failure(strike.error, "cannot open a socket towards " + address.text());
  }
  if (address.family == Address::Family::kNone) {
    return sim_failure(EAFNOSUPPORT, "cannot open a socket towards " + address.text());
  }
  Address local;
  local.family = address.family;
  return Socket{make(host, local).id};
}

SimStrike SimKernel::strike(SimCall::Kind kind, const SimSocket &socket, std::size_t bytes,
                            bool is_ready) {
  return core_.strike({kind, socket.host, &socket, bytes, is_ready});
}

int SimKernel::set_option(Socket socket, SocketOption option, int value) {
  SimSocket &target = user_socket(socket);
  const std::size_t bytes =
      std::max(kSimSmallestBufferBytes, static_cast<std::size_t>(std::max(value, 0)));
  const SimStrike strike = this->strike(SimCall::Kind::kOption, target);
  if (strike.kind == SimStrike::Kind::kError) {
    return -strike.error;
  }
  switch (option) {
  case SocketOption::kNoDelay:
  case SocketOption::kUrgentInline:
    return 0;
  case SocketOption::kLingerZero:
    target.linger_zero = value != 0;
    return 0;
  case SocketOption::kKeepAliveSec:
    target.keep_alive_sec = value;
    watch(target);
    return 0;
  case SocketOption::kSendBuffer:
    target.send_capacity = bytes;
    wake(target);
    return 0;
  case SocketOption::kReceiveBuffer:
    target.receive_capacity = bytes;
    if (SimSocket *peer = find(target.peer)) {
      schedule_delivery(*peer);
    }
    return 0;
  }
  return -EINVAL;
}

Result<Address> SimKernel::local_address(Socket socket) {
  const SimSocket &target = user_socket(socket);
  const SimStrike strike = this->strike(SimCall::Kind::kLocalAddress, target);
  if (strike.kind == SimStrike::Kind::kError) {
    return sim_failure(strike.error, "no local address");
  }
  return target.local;
}

Result<Address> SimKernel::peer_address(Socket socket) {
  const SimSocket &target = user_socket(socket);
  const SimStrike strike = this->strike(SimCall::Kind::kPeerAddress, target);
  if (strike.kind == SimStrike::Kind::kError) {
    return sim_failure(strike.error, "no peer address");
  }
  if (target.state != SimSocket::State::kConnected) {
    return sim_failure(ENOTCONN, "no peer address");
  }
  return target.peer_address;
}

int SimKernel::unsent_bytes(Socket socket) {
  const SimSocket &target = user_socket(socket);
  if (target.is_unix() || target.state != SimSocket::State::kConnected) {
    return 0;
  }
  return static_cast<int>(target.outgoing.size() + (target.end_under_way() ? 1 : 0));
}

/// The silence is counted from the first question in it.
std::uint64_t SimKernel::silent_ms(Socket socket) {
  SimSocket &target = user_socket(socket);
  if (target.state != SimSocket::State::kConnected || target.is_unix() || !path_dead(target) ||
      !target.outstanding()) {
    target.silent_from_ns = 0;
    return 0;
  }
  if (target.silent_from_ns == 0) {
    target.silent_from_ns = core_.now_ns;
  }
  return (core_.now_ns - target.silent_from_ns) / 1'000'000U;
}

void SimKernel::close(Socket socket) {
  SimSocket &target = user_socket(socket);
  CULVERT_ASSERT(target.operations.empty()); // else: closed before it was joined
  core_.trace.mix(0xC105E000U + static_cast<std::uint64_t>(socket.id));
  target.open = false;
  switch (target.state) {
  case SimSocket::State::kListening:
    close_listener(target);
    return;
  case SimSocket::State::kConnected:
    target.is_unix() ? close_unix(target) : close_stream(target);
    return;
  default:
    destroy(target);
  }
}

void SimKernel::handle(const SimEvent &event) {
  core_.trace.mix(event.time_ns);
  core_.trace.mix(static_cast<std::uint64_t>(event.kind) << 56U | event.subject);
  if (event.kind == SimEvent::Kind::kSyn) {
    on_syn(event.subject, event.detail);
    return;
  }
  if (event.kind == SimEvent::Kind::kEndAccept) {
    const SimOperation *operation = operations_.find(event.subject);
    if (operation != nullptr && !operation->ended) {
      operations_.finish(event.subject, {-ECANCELED}, SimPhase::kNone);
    }
    return;
  }
  if (event.kind == SimEvent::Kind::kOutcome) {
    SimSocket *idle = find(operations_.tell(event.subject));
    if (idle != nullptr) {
      std::erase(idle->operations, event.subject);
    }
    return;
  }
  SimSocket *socket = find(static_cast<int>(event.subject));
  if (socket == nullptr) {
    return;
  }
  if (event.kind == SimEvent::Kind::kDelivery) {
    on_delivery(*socket);
  } else if (event.kind == SimEvent::Kind::kReset && !path_dead(*socket)) {
    break_stream(*socket, ECONNRESET);
  } else if (event.kind == SimEvent::Kind::kGiveUp) {
    on_give_up(*socket, event.detail);
  }
}

SimPhase SimKernel::phase(const SimSocket &socket) const {
  if (classify) {
    return classify(Socket{socket.id});
  }
  const bool ending =
      socket.end_queued || socket.end_received || socket.state == SimSocket::State::kBroken;
  const bool counted =
      stream_port != 0 &&
      (socket.local.port == stream_port || socket.peer_address.port == stream_port) &&
      socket.carried > stream_after_bytes;
  const SimPhase label = counted ? SimPhase::kStream : socket.label;
  return ending && label == SimPhase::kStream ? SimPhase::kClosing : label;
}

void SimKernel::label(Socket socket, SimPhase phase) {
  SimSocket &target = user_socket(socket);
  target.label = phase;
  if (SimSocket *peer = find(target.peer)) {
    peer->label = phase;
  }
}

std::optional<Socket> SimKernel::find(const Address &local, const Address &peer) const {
  for (const auto &socket : sockets_) {
    if (socket && socket->open && socket->local == local && socket->peer_address == peer) {
      return Socket{socket->id};
    }
  }
  return std::nullopt;
}

std::vector<const SimSocket *> SimKernel::connections() const {
  std::vector<const SimSocket *> found;
  for (const auto &socket : sockets_) {
    if (socket && socket->open && socket->state == SimSocket::State::kConnected) {
      found.push_back(socket.get());
    }
  }
  return found;
}

std::vector<std::string> SimKernel::open_sockets() const {
  std::vector<std::string> lines;
  for (const auto &socket : sockets_) {
    if (socket && socket->open) {
      lines.push_back("socket " + std::to_string(socket->id) + " " + socket->local.text() + " -> " +
                      socket->peer_address.text() + " is open");
    }
  }
  return lines;
}

} // namespace culvert
