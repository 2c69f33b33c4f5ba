// How simulated connections come about: SYN, backlog, accept.
#include "io/socket_calls.hpp"
#include "support/sim/sim_kernel.hpp"

#include "core/limits.hpp"

#include <cerrno>

namespace culvert {

void SimKernel::start_connect(SimIo &io, Socket socket, const Address &address,
                              Completion &completion) {
  SimSocket &target = user_socket(socket);
  SimOperation operation{SimOperation::Kind::kConnect, &io, &completion, socket.id};
  operation.address = address;
  const std::uint64_t id = operations_.begin(std::move(operation));
  target.operations.push_back(id);
  if (target.state != SimSocket::State::kFresh) {
    const bool connecting = target.state == SimSocket::State::kConnecting;
    operations_.finish(id, {connecting ? -EALREADY : -EISCONN}, SimPhase::kSetUp);
    return;
  }
  socket_calls::KernelAddress checked;
  const int wrong = socket_calls::to_kernel(address, checked);
  if (wrong != 0) {
    operations_.finish(id, {wrong}, SimPhase::kSetUp);
    return;
  }
  target.state = SimSocket::State::kConnecting;
  target.local = network.source(target.host, address);
  if (!target.is_unix()) {
    target.local.port = network.free_port();
  }
  const SimStrike strike = this->strike(SimCall::Kind::kConnect, target);
  const int lacking = no_buffers(SimFault::kNoBuffersOnConnect, target);
  if (strike.kind == SimStrike::Kind::kNever) {
    return; // until it is cancelled
  }
  if (strike.kind == SimStrike::Kind::kError) {
    end_connect(id, -strike.error, latency());
  } else if (lacking != 0) {
    end_connect(id, lacking);
  } else if (core_.strikes(SimFault::kConnectUnreachable, SimPhase::kSetUp)) {
    end_connect(id, -EHOSTUNREACH, latency());
  } else if (core_.strikes(SimFault::kConnectRefused, SimPhase::kSetUp)) {
    end_connect(id, -ECONNREFUSED, latency());
  } else if (core_.strikes(SimFault::kConnectTimeout, SimPhase::kSetUp)) {
    const std::uint64_t seconds = (1ULL << kSimSynTries) - 1;
    core_.after(seconds * 1'000'000'000U, SimEvent::Kind::kSyn, id, kSimSynTries + 1);
  } else {
    core_.after(latency(), SimEvent::Kind::kSyn, id, 1);
  }
}

void SimKernel::end_connect(std::uint64_t operation_id, int result, std::uint64_t after_ns) {
  SimSocket &socket = *find(operations_.find(operation_id)->socket);
  if (result != 0) {
    socket.state = SimSocket::State::kFresh;
  }
  operations_.finish(operation_id, {result}, SimPhase::kSetUp, after_ns);
}

void SimKernel::on_syn(std::uint64_t operation_id, std::uint64_t tries) {
  SimOperation *operation = operations_.find(operation_id);
  if (operation == nullptr || operation->ended) {
    return; // cancelled
  }
  if (tries > kSimSynTries) {
    end_connect(operation_id, -ETIMEDOUT);
    return;
  }
  const int result = knock(*operation, *find(operation->socket));
  if (result != -EAGAIN) {
    end_connect(operation_id, result, latency());
    return;
  }
  const std::uint64_t wait_ns = (1ULL << (tries - 1)) * 1'000'000'000U;
  core_.after(wait_ns, SimEvent::Kind::kSyn, operation_id, tries + 1);
}

/// What a SYN meets: 0 a connection, -EAGAIN silence, or a refusal.
int SimKernel::knock(SimOperation &operation, SimSocket &socket) {
  const Address &address = operation.address;
  const int host = network.route(socket.host, address);
  if (host < 0) {
    return -EHOSTUNREACH;
  }
  if (!network.reaches(socket.host, host)) {
    return -EAGAIN;
  }
  SimSocket *listener = find(network.listener(host, address));
  if (listener == nullptr) {
    const bool no_path = socket.is_unix() && !network.known_path(host, address.path);
    return no_path ? -ENOENT : -ECONNREFUSED;
  }
  if (listener->backlog.size() >= static_cast<std::size_t>(kListenBacklog)) {
    return -EAGAIN;
  }
  const int listener_id = listener->id;
  SimSocket &server = make(host, address);
  listener = find(listener_id);
  server.open = false;
  server.unaccepted = true;
  server.state = socket.state = SimSocket::State::kConnected;
  server.peer = socket.id;
  server.peer_host = socket.host;
  socket.peer_host = host;
  socket.peer = server.id;
  socket.peer_address = address;
  server.peer_address = socket.local;
  server.send_capacity = listener->send_capacity; // inherited, as Linux does
  server.linger_zero = listener->linger_zero;
  server.receive_capacity = listener->receive_capacity;
  server.label = socket.label;
  listener->backlog.push_back(server.id);
  wake(socket);
  watch(socket);
  serve_backlog(*listener);
  return 0;
}

void SimKernel::start_accept(SimIo &io, Socket socket, Completion &completion) {
  SimSocket &listener = user_socket(socket);
  const std::uint64_t id =
      operations_.begin({SimOperation::Kind::kAccept, &io, &completion, socket.id});
  listener.operations.push_back(id);
  if (listener.state != SimSocket::State::kListening) {
    operations_.finish(id, {-EINVAL}, SimPhase::kSetUp);
    return;
  }
  serve_backlog(listener);
}

/// Gives waiting connections to the accepts that are armed, each to one drawn by seed.
void SimKernel::serve_backlog(SimSocket &listener) {
  while (!listener.backlog.empty()) {
    std::vector<std::uint64_t> armed;
    for (const std::uint64_t id : listener.operations) {
      const SimOperation &operation = *operations_.find(id);
      if (operation.kind == SimOperation::Kind::kAccept && !operation.ended) {
        armed.push_back(id);
      }
    }
    if (armed.empty()) {
      break;
    }
    accept_next(listener, armed[core_.random.below(armed.size())]);
  }
  wake(listener);
}

void SimKernel::accept_next(SimSocket &listener, std::uint64_t operation_id) {
  if (core_.strikes(SimFault::kNoDescriptorOnAccept, SimPhase::kSetUp)) {
    operations_.finish(operation_id, {-EMFILE}, SimPhase::kSetUp);
    return;
  }
  const SimStrike strike = this->strike(SimCall::Kind::kAccept, listener);
  const bool fails = strike.kind == SimStrike::Kind::kError;
  SimSocket &accepted = *find(listener.backlog.front());
  if (!fails || strike.error == ECONNABORTED || strike.error == EPERM) {
    listener.backlog.pop_front();
  }
  if (!fails) {
    accepted.open = true;
    accepted.unaccepted = false;
    const bool more = strike.kind != SimStrike::Kind::kLast;
    operations_.finish(operation_id, {accepted.id, more}, SimPhase::kSetUp);
    return;
  }
  operations_.finish(operation_id, {-strike.error}, SimPhase::kSetUp);
  if (listener.backlog.empty() || listener.backlog.front() != accepted.id) {
    refuse(accepted);
  }
}

/// A connection that nobody will accept.
void SimKernel::refuse(SimSocket &waiting) {
  if (waiting.state == SimSocket::State::kConnected) {
    core_.after(latency(), SimEvent::Kind::kReset, static_cast<std::uint64_t>(waiting.peer));
  }
  destroy(waiting);
}

void SimKernel::close_listener(SimSocket &listener) {
  network.release(listener.host, listener.local);
  for (const int id : listener.backlog) {
    refuse(*find(id));
  }
  destroy(listener);
}

} // namespace culvert
