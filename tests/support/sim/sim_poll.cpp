// When a simulated socket is ready, and how operations end early.
#include "support/sim/sim_kernel.hpp"

#include <cerrno>

namespace culvert {

namespace {

/// Whoever is told "try now" finds out by trying; that the other side left cannot be tried.
bool may_be_vain(Interest interest) {
  return interest == Interest::kReadable || interest == Interest::kWritable;
}

} // namespace

bool SimKernel::ready(const SimSocket &socket, Interest interest) {
  if (interest == Interest::kBroken) {
    return socket.pending_error != 0; // POLLERR, which goes when the error has been told
  }
  switch (socket.state) {
  case SimSocket::State::kConnecting:
    return false;
  case SimSocket::State::kListening:
    return interest == Interest::kReadable && !socket.backlog.empty();
  case SimSocket::State::kFresh: // POLLHUP, as Linux says of a socket never connected
  case SimSocket::State::kBroken:
    return true;
  case SimSocket::State::kConnected:
    break;
  }
  if (socket.end_received && socket.end_queued) {
    return true; // POLLHUP
  }
  switch (interest) {
  case Interest::kReadable:
    return !socket.incoming.empty() || socket.end_received;
  case Interest::kWritable: // as Linux: only with a third of the buffer free
    return socket.end_queued || socket.send_room() * 3 >= socket.send_capacity;
  case Interest::kHangup:
    return socket.end_received;
  case Interest::kBroken:
  case Interest::kGone: // both ends: see above
    break;
  }
  return false;
}

void SimKernel::start_poll(SimIo &io, Socket socket, Interest interest, Completion &completion) {
  SimSocket &target = user_socket(socket);
  const SimStrike strike = this->strike(SimCall::Kind::kPoll, target, 0,
                                        ready(target, interest) || !may_be_vain(interest));
  SimOperation operation{SimOperation::Kind::kPoll, &io, &completion, socket.id};
  operation.interest = interest;
  const std::uint64_t id = operations_.begin(std::move(operation));
  target.operations.push_back(id);
  if (strike.kind == SimStrike::Kind::kError) {
    operations_.finish(id, {-strike.error}, phase(target));
  } else if (strike.kind == SimStrike::Kind::kVain) {
    operations_.finish(id, {1}, phase(target));
  } else if (const int lacking = no_buffers(SimFault::kNoBuffersOnPoll, target); lacking != 0) {
    operations_.finish(id, {lacking}, phase(target));
  } else if (ready(target, interest)) {
    operations_.finish(id, {1}, phase(target));
  } else if ((interest == Interest::kReadable || interest == Interest::kWritable) &&
             core_.strikes(SimFault::kSpuriousWake, phase(target))) {
    // The other two tell a fact that nobody can check by trying.
    operations_.finish(id, {1}, phase(target), core_.random.below(kSimLongestDelayNs));
  }
}

void SimKernel::wake(SimSocket &socket) {
  for (const std::uint64_t id : socket.operations) {
    const SimOperation &operation = *operations_.find(id);
    if (operation.kind == SimOperation::Kind::kPoll && !operation.ended &&
        ready(socket, operation.interest)) {
      operations_.finish(id, {1}, phase(socket));
    }
  }
}

void SimKernel::start_cancel(SimIo &io, Completion &target, Completion &with) {
  const std::uint64_t target_id = operations_.of(target);
  const std::uint64_t id = operations_.begin({SimOperation::Kind::kCancel, &io, &with, -1});
  SimOperation *operation = operations_.find(target_id);
  const SimSocket *socket = operation == nullptr ? nullptr : find(operation->socket);
  SimStrike strike;
  if (socket != nullptr && !operation->ended) {
    strike = this->strike(SimCall::Kind::kCancel, *socket); // which may end the target
  }
  if (operation == nullptr || operation->ended) {
    const bool told = operation == nullptr;
    const int result = told || core_.random.below(2) == 0 ? -ENOENT : -EALREADY;
    operations_.finish(id, {result}, SimPhase::kNone);
    return;
  }
  CULVERT_ASSERT(operation->io == &io); // else: cancelled from a shard that did not arm it
  const SimPhase phase_now = socket == nullptr ? SimPhase::kNone : phase(*socket);
  if (strike.kind == SimStrike::Kind::kTooLate || core_.strikes(SimFault::kCancelRace, phase_now)) {
    race(target_id);
    operations_.finish(id, {-EALREADY}, phase_now);
    return;
  }
  const auto late = [&strike](SimStrike::Kind kind) {
    return strike.kind == kind ? kSimLongestDelayNs : 0;
  };
  const std::uint64_t target_late_ns = late(SimStrike::Kind::kTargetLate);
  if (operation->kind == SimOperation::Kind::kConnect) {
    end_connect(target_id, -ECANCELED, target_late_ns);
  } else {
    operations_.finish(target_id, {-ECANCELED}, phase_now, target_late_ns);
  }
  operations_.finish(id, {0}, phase_now, late(SimStrike::Kind::kCancelLate));
}

/// The cancelled operation ends with an outcome of its own all the same, perhaps long after the
/// cancel's.
void SimKernel::race(std::uint64_t target_id) {
  SimOperation &operation = *operations_.find(target_id);
  SimSocket *socket = find(operation.socket);
  const std::uint64_t after_ns = core_.random.below(kSimLongestDelayNs);
  switch (operation.kind) {
  case SimOperation::Kind::kPoll:
    operations_.finish(target_id, {may_be_vain(operation.interest) ? 1 : -ECANCELED},
                       phase(*socket), after_ns);
    return;
  case SimOperation::Kind::kConnect: {
    const int result = knock(operation, *socket);
    end_connect(target_id, result == -EAGAIN ? -ECANCELED : result, after_ns);
    return;
  }
  case SimOperation::Kind::kAccept: // what arrives meanwhile is accepted: the owner must take it
    core_.after(after_ns, SimEvent::Kind::kEndAccept, target_id);
    return;
  case SimOperation::Kind::kCancel:
    operations_.finish(target_id, {0}, SimPhase::kNone, after_ns);
    return;
  }
}

} // namespace culvert
