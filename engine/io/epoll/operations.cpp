// Starts operations, and completes them when their event comes.
#include "io/epoll/epoll_class.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <utility>

namespace culvert::epoll {
namespace {

Stage stage_of(Interest interest) {
  switch (interest) {
  case Interest::kReadable:
    return kReadable;
  case Interest::kWritable:
    return kWritable;
  case Interest::kHangup:
    return kHangup;
  case Interest::kBroken:
    return kBroken;
  case Interest::kGone:
    return kGone;
  }
  return kNone;
}

/// The events that complete an operation. EPOLLHUP means that both directions have ended: it counts
/// as bytes and as room, because receiving and sending end at once, but not as a break.
std::uint32_t awaited(std::uint8_t stage) {
  switch (stage) {
  case kWritable:
  case kConnect:
    return EPOLLOUT | EPOLLERR | EPOLLHUP;
  case kHangup:
    return EPOLLRDHUP | EPOLLERR | EPOLLHUP;
  case kBroken:
    return EPOLLERR;
  case kGone:
    return EPOLLERR | EPOLLHUP;
  default:
    return EPOLLIN | EPOLLERR | EPOLLHUP;
  }
}

void make_non_blocking(int socket) {
  const int flags = fcntl(socket, F_GETFL);
  CULVERT_ASSERT(flags >= 0 && fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0);
}

/// Of a connect: 0 or the negated errno.
int outcome_of_connect(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? -error : -errno;
}

} // namespace

void EpollIo::start_poll(Socket socket, Interest interest, Completion &completion) {
  add(socket.id, stage_of(interest), completion);
}

void EpollIo::start_accept(Socket socket, Completion &completion) {
  make_non_blocking(socket.id); // another shard may take what this one has seen
  add(socket.id, kAccept, completion);
}

void EpollIo::start_connect(Socket socket, const Address &address, Completion &completion) {
  note_of(completion) = {socket.id, kNone};
  socket_calls::KernelAddress kernel;
  if (const int result = socket_calls::to_kernel(address, kernel); result < 0) {
    complete(completion, {result, false});
    return;
  }
  make_non_blocking(socket.id);
  connect_now(completion, kernel);
}

void EpollIo::connect_now(Completion &completion, const socket_calls::KernelAddress &address) {
  const int socket = note_of(completion).socket;
  if (::connect(socket, address.get(), address.length) == 0) {
    complete(completion, {0, false});
  } else if (errno == EINPROGRESS) {
    add(socket, kConnect, completion);
  } else if (errno == EAGAIN && address.storage.ss_family == AF_UNIX) {
    note_of(completion).stage = kCrowdedConnect;
    crowded_.push_back({&completion, address});
    if (!crowded_retry_.armed()) {
      arm_after_ms(crowded_retry_, kCrowdedConnectMs);
    }
  } else {
    complete(completion, {-errno, false});
  }
}

void EpollIo::try_crowded() {
  for (const CrowdedConnect &each : std::exchange(crowded_, {})) {
    note_of(*each.completion).stage = kNone;
    connect_now(*each.completion, each.address);
  }
}

void EpollIo::start_cancel(Completion &target, Completion &with) {
  note_of(with) = {};
  const Completion::Note note = note_of(target);
  if (note.stage == kNone) { // its outcome waits in the ready queue, or it is idle
    complete(with, {-ENOENT, false});
    return;
  }
  if (note.stage == kCrowdedConnect) {
    std::erase_if(crowded_, [&](const CrowdedConnect &each) { return each.completion == &target; });
    note_of(target) = {};
  } else {
    remove(target);
  }
  if (note.stage == kAccept) {
    // A connection may have woken this shard alone: nobody else would take it now.
    Entry &entry = entry_of(note.socket);
    const bool was_registered = entry.registered != 0;
    unregister(note.socket, entry);
    const int accepted =
        was_registered ? ::accept4(note.socket, nullptr, nullptr, SOCK_CLOEXEC) : -1;
    if (accepted >= 0) {
      complete(target, {accepted, true});
    }
  }
  complete(target, {-ECANCELED, false});
  complete(with, {0, false});
}

// --- events -----------------------------------------------------------------------------------

void EpollIo::dispatch(int socket, std::uint32_t events) {
  Entry &entry = entry_of(socket);
  if ((entry.registered & EPOLLONESHOT) != 0) {
    entry.registered = EPOLLONESHOT;
    note_change(socket, entry);
  }
  Completion *each = entry.first;
  while (each != nullptr) {
    Completion *const next = note_of(*each).next;
    if ((events & awaited(note_of(*each).stage)) != 0 && happened(*each, events)) {
      remove(*each);
    }
    each = next;
  }
}

/// Completes the operation; false if it goes on.
bool EpollIo::happened(Completion &completion, std::uint32_t events) {
  const Completion::Note &note = note_of(completion);
  if (note.stage == kAccept) {
    return accept_waiting(completion);
  }
  const bool connects = note.stage == kConnect;
  complete(completion,
           {connects ? outcome_of_connect(note.socket) : static_cast<int>(events), false});
  return true;
}

/// True if the accept has ended, with an error. What is left is reported again.
bool EpollIo::accept_waiting(Completion &completion) {
  for (int i = 0; i < kAcceptBatch; ++i) {
    const int accepted = ::accept4(note_of(completion).socket, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) {
      if (errno == EAGAIN) {
        return false;
      }
      complete(completion, {-errno, false});
      return true;
    }
    complete(completion, {accepted, true});
  }
  return false;
}

} // namespace culvert::epoll
