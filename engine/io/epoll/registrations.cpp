// What the kernel is to report of each descriptor.
//
// A descriptor that only short streams read is registered level-triggered and stays so, because it
// is armed again as a rule. Every other one is reported once (EPOLLONESHOT): a bulk stream waits
// for its turn after its event, and room to send is wanted now and then. Only ends and breaks are
// reported at changes (EPOLLET), because epoll always reports EPOLLHUP, wanted or not, and a poll
// for a break goes on beside it.
#include "io/epoll/epoll_class.hpp"

#include <cerrno>

namespace culvert::epoll {
namespace {

constexpr std::uint32_t kBytesOrRoom = EPOLLIN | EPOLLOUT;
constexpr std::uint32_t kQuiet = EPOLLET;

/// EPOLLERR and EPOLLHUP need not be asked for.
std::uint32_t asked_for(std::uint8_t stage) {
  switch (stage) {
  case kReadable:
    return EPOLLIN;
  case kWritable:
  case kConnect:
    return EPOLLOUT;
  case kHangup:
    return EPOLLRDHUP;
  case kAccept:
    return EPOLLIN | EPOLLEXCLUSIVE; // of several shards, the kernel wakes one
  default:
    return 0;
  }
}

} // namespace

EpollIo::Entry &EpollIo::entry_of(int socket) {
  const auto place = static_cast<std::size_t>(socket);
  if (place >= entries_.size()) {
    entries_.resize(place + 1);
  }
  return entries_[place];
}

void EpollIo::add(int socket, Stage stage, Completion &completion) {
  Entry &entry = entry_of(socket);
  note_of(completion) = {socket, stage, false, entry.first};
  entry.first = &completion;
  note_change(socket, entry);
}

void EpollIo::remove(Completion &completion) {
  Entry &entry = entry_of(note_of(completion).socket);
  Completion **link = &entry.first;
  while (*link != &completion) {
    link = &note_of(**link).next;
  }
  *link = note_of(completion).next;
  note_change(note_of(completion).socket, entry);
  note_of(completion) = {};
}

void EpollIo::note_change(int socket, Entry &entry) {
  if (!entry.changed) {
    entry.changed = true;
    changed_.push_back(socket);
  }
}

std::uint32_t EpollIo::wanted_by(Completion *first) {
  std::uint32_t events = 0;
  bool again = true; // as a rule it is armed again at once
  for (Completion *each = first; each != nullptr; each = note_of(*each).next) {
    const std::uint8_t stage = note_of(*each).stage;
    events |= asked_for(stage);
    again = again && (stage == kReadable || stage == kAccept) && !each->bulk;
  }
  if ((events & kBytesOrRoom) == 0) {
    return events | EPOLLET;
  }
  return again ? events : events | EPOLLONESHOT;
}

/// True if the kernel has been told of an operation.
bool EpollIo::submit() {
  bool told = false;
  for (const int socket : changed_) {
    Entry &entry = entry_of(socket);
    entry.changed = false;
    told = submit_entry(socket, entry) || told;
  }
  changed_.clear();
  return told;
}

bool EpollIo::submit_entry(int socket, Entry &entry) {
  if (entry.first == nullptr) {
    if ((entry.registered & EPOLLEXCLUSIVE) != 0) { // such an entry cannot be modified
      unregister(socket, entry);
    } else if ((entry.registered & kBytesOrRoom) != 0) {
      CULVERT_ASSERT(control(EPOLL_CTL_MOD, socket, kQuiet) == 0);
      entry.registered = kQuiet;
    }
    return false;
  }
  const std::uint32_t wanted = wanted_by(entry.first);
  const bool looks_again = (wanted & EPOLLET) != 0; // what happened before would not be reported
  if (wanted == entry.registered && !looks_again) {
    return false;
  }
  const int operation = entry.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (const int error = control(operation, socket, wanted); error != 0) {
    fail_all(entry, error);
  } else {
    entry.registered = wanted;
  }
  return true;
}

int EpollIo::control(int operation, int socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  ++kernel_counts_.entries;
  ++kernel_counts_.calls;
  return epoll_ctl(epoll_, operation, socket, &event) == 0 ? 0 : errno;
}

void EpollIo::unregister(int socket, Entry &entry) {
  if (entry.registered != 0) {
    CULVERT_ASSERT(control(EPOLL_CTL_DEL, socket, 0) == 0);
    entry.registered = 0;
  }
}

/// The kernel has no memory for an entry, or no more of them for this user.
void EpollIo::fail_all(Entry &entry, int error) {
  while (entry.first != nullptr) {
    Completion &completion = *entry.first;
    entry.first = note_of(completion).next;
    note_of(completion) = {};
    complete(completion, {-error, false});
  }
}

/// Also before a close: the kernel forgets a descriptor only with its last copy, and a child of
/// this process may have one for a moment.
void EpollIo::leave(Socket socket) {
  CULVERT_ASSERT(socket.valid());
  if (static_cast<std::size_t>(socket.id) < entries_.size()) {
    Entry &entry = entry_of(socket.id);
    CULVERT_ASSERT(entry.first == nullptr);
    unregister(socket.id, entry);
  }
}

} // namespace culvert::epoll
