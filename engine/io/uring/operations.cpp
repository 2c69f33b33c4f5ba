// Submits operations to the ring and handles their completions.
//
// A ring poll has a peculiarity: it always fires for POLLRDHUP, asked or not [measured on Linux
// 6.18], so once the other side has ended, a poll for room completes at once, again and again. Such
// a completion is not passed on: the poll is armed again as a multishot poll, which fires at
// changes only, and is ended when the wanted event comes ("patient" below).
#include "io/uring/ring_io.hpp"

#include <cerrno>
#include <poll.h>

namespace culvert::uring {
namespace {

enum Stage : std::uint8_t {
  kPlain,        // every completion is passed on as it is
  kRoom,         // a one-shot poll for room
  kPatientRoom,  // the same as multishot poll
  kPatientBreak, // a multishot poll for an error
  kPatientGone,  // a multishot poll for an error or the end of both directions
  kFound,        // a multishot poll that found its event and is being ended
};

std::uint64_t tag_of(const Completion &completion) {
  return reinterpret_cast<std::uint64_t>(&completion);
}

bool waits_for_room(std::uint8_t stage) {
  return stage == kRoom || stage == kPatientRoom;
}

/// The events that are passed on. A hang-up means that both directions have ended: it counts as
/// room, because sending fails at once, but not as a break.
int wanted_in(std::uint8_t stage) {
  const int end = stage == kPatientBreak ? POLLERR : POLLERR | POLLHUP;
  return waits_for_room(stage) ? POLLOUT | end : end;
}

} // namespace

io_uring_sqe &UringIo::next_entry() {
  io_uring_sqe *entry = io_uring_get_sqe(&ring_);
  while (entry ==
         nullptr) { // full: submit all of it; if the kernel refuses, copy its completions out first
    enter();
    copy_completions();
    entry = io_uring_get_sqe(&ring_);
  }
  ++kernel_counts_.entries;
  return *entry;
}

void UringIo::start_accept(Socket socket, Completion &completion) {
  note_of(completion) = {socket.id, kPlain, false};
  io_uring_sqe &entry = next_entry();
  io_uring_prep_multishot_accept(&entry, socket.id, nullptr, nullptr, SOCK_CLOEXEC);
  entry.user_data = tag_of(completion);
}

void UringIo::start_connect(Socket socket, const Address &address, Completion &completion) {
  note_of(completion) = {socket.id, kPlain, false};
  socket_calls::KernelAddress kernel;
  const int result = socket_calls::to_kernel(address, kernel);
  if (result < 0) {
    complete(completion, {result, false});
    return;
  }
  io_uring_sqe &entry = next_entry();
  socket_calls::KernelAddress &kept = addresses_[static_cast<std::size_t>(&entry - ring_.sq.sqes)];
  kept = kernel;
  io_uring_prep_connect(&entry, socket.id, kept.get(), kept.length);
  entry.user_data = tag_of(completion);
}

void UringIo::start_poll(Socket socket, Interest interest, Completion &completion) {
  note_of(completion) = {socket.id, kPlain, false};
  unsigned events = 0;
  switch (interest) {
  case Interest::kReadable:
    events = POLLIN; // an end is readable
    break;
  case Interest::kWritable:
    events = POLLOUT;
    note_of(completion).stage = kRoom;
    break;
  case Interest::kHangup:
    events = POLLRDHUP;
    break;
  case Interest::kBroken:
    note_of(completion).stage = kPatientBreak;
    poll_patiently(completion);
    return;
  case Interest::kGone:
    note_of(completion).stage = kPatientGone;
    poll_patiently(completion);
    return;
  }
  io_uring_sqe &entry = next_entry();
  io_uring_prep_poll_add(&entry, socket.id, events);
  entry.user_data = tag_of(completion);
}

void UringIo::start_cancel(Completion &target, Completion &with) {
  note_of(target).cancelled = true;
  note_of(with) = {-1, kPlain, false};
  io_uring_sqe &entry = next_entry();
  io_uring_prep_cancel64(&entry, tag_of(target), 0);
  entry.user_data = tag_of(with);
}

void UringIo::poll_patiently(Completion &completion) {
  io_uring_sqe &entry = next_entry();
  io_uring_prep_poll_multishot(&entry, note_of(completion).socket,
                               waits_for_room(note_of(completion).stage) ? POLLOUT : 0);
  entry.user_data = tag_of(completion);
}

void UringIo::end_poll(Completion &completion) {
  note_of(completion).stage = kFound;
  io_uring_sqe &entry = next_entry();
  io_uring_prep_cancel64(&entry, tag_of(completion), 0);
  entry.user_data = kIgnoredTag;
}

void UringIo::poll_finished(Completion &completion, int result, bool more) {
  Completion::Note &note = note_of(completion);
  if (note.stage == kFound) {
    if (!more) {
      complete(completion, {0, false});
    }
  } else if (result < 0 || (result & wanted_in(note.stage)) != 0) {
    if (more) {
      end_poll(completion);
    } else {
      complete(completion, {result, false});
    }
  } else if (!more) {
    if (note.cancelled) { // the cancel was for the poll that has just ended
      complete(completion, {-ECANCELED, false});
    } else {
      if (note.stage == kRoom) {
        note.stage = kPatientRoom;
      }
      poll_patiently(completion);
    }
  }
}

void UringIo::finished(std::uint64_t tag, int result, bool more) {
  if (tag == kIgnoredTag) {
    return;
  }
  if (tag == kMailTag) {
    watching_mail_ = more;
    return;
  }
  Completion &completion = *reinterpret_cast<Completion *>(tag);
  const int real = result == -EINTR ? -ECANCELED : result; // the result of a cancelled worker
  if (note_of(completion).stage == kPlain) {
    complete(completion, {real, more});
  } else {
    poll_finished(completion, real, more);
  }
}

} // namespace culvert::uring
