#include "link/link.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {

// How every link ends. next_state() has each transition; enter() starts the work of a state.
//
//   open ── peel() ──> peeled
//     │
//     │ abort(), close()
//     v
//   sending end ── nothing is left to send, and the peer's end matters ──> awaiting peer
//     │                                                                          │
//     │ nothing is left to send                  the peer's end, or its deadline │
//     v                                                                          │
//   ending below <───────────────────────────────────────────────────────────────┘
//     │
//     │ nothing is in flight
//     v
//   gone <── nothing is in flight ── leaving
//
// In sending end and in awaiting peer a link reads and discards what arrives: a peer that closes at
// the same time may have to be read before it can read. (A socket that will reset does not read.)
//
// leaving is reached from open, sending end, awaiting peer and ending below by drop(), and from
// sending end and awaiting peer if there is no progress for ShardLimits::abort_stall_ms.
//
// After finish() the link is still open: only the sending direction ends (Sending), after the held
// bytes. A link is also open until peel(): both directions have then finished. A direction that is
// handed to the kernel (not built yet) leaves the link open, too. It needs no state here: its bytes
// count in queue() and held(), output_waits() is true until it has come back, and released()
// includes its operation, which release() cancels. A peel that waits for close_notify both ways
// would go through sending end and awaiting peer to peeled.

namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

} // namespace

Link::State Link::next_state() const {
  const bool dropped = end_ == End::kDrop;
  switch (state_) {
  case State::kOpen:
    switch (end_) {
    case End::kNone:
      return State::kOpen;
    case End::kAbort:
    case End::kClose:
      return State::kSendingEnd;
    case End::kDrop:
      return State::kLeaving;
    case End::kPeel:
      return State::kPeeled;
    }
    break;
  case State::kSendingEnd:
    if (dropped || stalled()) {
      return State::kLeaving;
    }
    if (output_waits()) {
      return State::kSendingEnd;
    }
    return awaits_peer() ? State::kAwaitingPeer : State::kEndingBelow;
  case State::kAwaitingPeer:
    if (dropped || stalled()) {
      return State::kLeaving;
    }
    return awaits_peer() && !peer_wait_over() ? State::kAwaitingPeer : State::kEndingBelow;
  case State::kEndingBelow:
    if (dropped) {
      return State::kLeaving;
    }
    return released() ? State::kGone : State::kEndingBelow;
  case State::kLeaving:
    return released() ? State::kGone : State::kLeaving;
  case State::kGone:
  case State::kPeeled:
    break;
  }
  return state_;
}

void Link::enter(State next) {
  state_ = next;
  switch (next) {
  case State::kSendingEnd:
    prepare_end(end_);
    cancel_waiting();
    queue_ = queue();
    progress_ns_ = busy_ns_ = shard_->io.now_ns();
    break;
  case State::kAwaitingPeer:
    busy_ns_ = shard_->io.now_ns();
    break;
  case State::kEndingBelow:
    ending_timer_.disarm();
    release(end_);
    break;
  case State::kLeaving:
    outcome_ = -ETIMEDOUT; // of an abort() or close() that stalled; drop() sets its own
    ending_timer_.disarm();
    prepare_end(End::kDrop);
    cancel_waiting();
    complete_later(finishing_, -ECANCELED);
    release(End::kDrop);
    break;
  case State::kGone:
    wake_.disarm();
    on_gone();
    complete_later(finishing_, sending_ == Sending::kEnded || broken_ ? 0 : -ECANCELED);
    complete_end();
    break;
  case State::kPeeled:
  case State::kOpen:
    break;
  }
}

// --- called by the owner ------------------------------------------------------------------------

void Link::begin_ending(End end, Completion &completion) {
  CULVERT_ASSERT(open());
  begin(ending_, completion);
  end_ = end;
  enter(next_state());
  wake(); // the caller may be in the middle of another link's turn
}

void Link::drop(Completion &completion) {
  begin(dropping_, completion);
  end_ = End::kDrop;
  if (state_ != State::kLeaving && state_ != State::kGone) {
    enter(next_state());
  }
  complete_later(ending_, -ECANCELED);
  wake();
}

void Link::become_peeled() {
  end_ = End::kPeel;
  enter(next_state());
}

// --- progress -----------------------------------------------------------------------------------

void Link::on_wake() {
  if (state_ == State::kGone) {
    complete_end(); // of a drop() that was called after another ending had completed
  } else {
    work();
  }
}

void Link::advance() {
  if (open()) {
    return;
  }
  if (state_ == State::kSendingEnd) {
    send_output();
  }
  note_queue();
  for (State next = next_state(); next != state_; next = next_state()) {
    enter(next);
    if (next == State::kGone) {
      return; // this object may be destroyed now
    }
  }
  if (state_ == State::kSendingEnd || state_ == State::kAwaitingPeer) {
    arm_ending();
    arm_ending_timer();
  }
}

void Link::note_queue() {
  if (state_ != State::kSendingEnd && state_ != State::kAwaitingPeer) {
    return;
  }
  const std::size_t now = queue();
  if (now > 0) {
    busy_ns_ = shard_->io.now_ns();
  }
  if (now < queue_) {
    progress_ns_ = shard_->io.now_ns();
  }
  queue_ = now;
}

bool Link::stalled() const {
  return queue_ > 0 &&
         shard_->io.now_ns() - progress_ns_ >= shard_->limits.abort_stall_ms * kNsPerMs;
}

bool Link::peer_wait_over() const {
  return queue_ == 0 && shard_->io.now_ns() - busy_ns_ >= peer_wait_ms() * kNsPerMs;
}

void Link::arm_ending_timer() {
  if (state_ == State::kSendingEnd && queue_ == 0) {
    return; // the end waits for an event, not for time
  }
  const std::uint64_t since = queue_ > 0 ? progress_ns_ : busy_ns_;
  const std::uint64_t most_ms = queue_ > 0 ? shard_->limits.abort_stall_ms : peer_wait_ms();
  const std::uint64_t passed_ms = (shard_->io.now_ns() - since) / kNsPerMs;
  const std::uint64_t left_ms = most_ms - std::min(most_ms, passed_ms);
  shard_->io.arm_after_ms(ending_timer_, std::min(left_ms, next_check_ms()));
}

/// Ends all operations that wait for the other side. A finish waits for our own queue and
/// continues.
void Link::cancel_waiting() {
  complete_later(receiving_, -ECANCELED);
  complete_later(watching_, -ECANCELED);
  complete_later(draining_, -ECANCELED);
}

/// The link's last completion: after all others that are due.
void Link::complete_end() {
  Completion *&last = dropping_ != nullptr ? dropping_ : ending_;
  const int result = dropping_ != nullptr ? 0 : outcome_;
  if (tick_.in_flight()) {
    complete_later(last, result);
  } else if (last != nullptr) {
    complete_now(last, result);
  }
}

} // namespace culvert
