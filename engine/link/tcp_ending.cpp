#include "link/os_status.hpp"
#include "link/tcp.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {
namespace {

constexpr std::uint64_t ns_of_ms(std::uint64_t milliseconds) {
  return milliseconds * 1'000'000U;
}

} // namespace

// Linger 0 on a tunnel's end makes the kernel reset it when this process is killed. It is off again
// once nothing is left that a reset could truncate.

void TcpLink::end_tunnel_here() {
  if (unix_ || tunnel_end_) {
    return;
  }
  tunnel_end_ = true;
  linger_zero_ = true;
  shard_->io.set_option(socket_, SocketOption::kLingerZero, 1);
  note_ends();
}

void TcpLink::note_ends() {
  if (linger_zero_ && end_sent_ && received_end_ && !received_end_->aborted) {
    linger_zero_ = false;
    shard_->io.set_option(socket_, SocketOption::kLingerZero, 0);
  }
}

std::size_t TcpLink::unsent() const {
  return static_cast<std::size_t>(std::max(shard_->io.unsent_bytes(socket_), 0));
}

// --- the operations -----------------------------------------------------------------------------

void TcpLink::abort(Completion &completion) {
  CULVERT_ASSERT(ending_ == nullptr && phase_ == Phase::kOpen);
  push_out();
  // A FIN on the way to a reset would give an idle reader a clean end; one that has left already
  // cannot be taken back, and only a reset behind it can still follow.
  const bool reset = tunnel_end_ && !(end_sent_ && !linger_zero_);
  if (reset && !end_sent_) {
    end_wanted_ = false;
    if (finishing_ != nullptr) {
      complete_later(finishing_, -ECANCELED);
    }
    begin_ending(ending_, completion, Phase::kAborting);
    return;
  }
  reset_ = reset;
  linger_ns_ = reset ? 0 : ns_of_ms(kLingerMs);
  begin_ending(ending_, completion, Phase::kClosing);
}

void TcpLink::close(Completion &completion) {
  CULVERT_ASSERT(ending_ == nullptr && phase_ == Phase::kOpen);
  push_out();
  linger_ns_ = ns_of_ms(kLingerMs);
  begin_ending(ending_, completion, Phase::kClosing);
}

void TcpLink::drop(Completion &completion) {
  CULVERT_ASSERT(dropping_ == nullptr);
  part_count_ = 0;
  outcome_ = 0;
  reset_ = true;
  if (ending_ != nullptr) {
    complete_later(ending_, -ECANCELED);
  }
  begin_ending(dropping_, completion, phase_ == Phase::kClosed ? Phase::kClosed : Phase::kLeaving);
}

void TcpLink::begin_ending(Completion *&slot, Completion &completion, Phase phase) {
  begin(slot, completion);
  phase_ = phase;
  cancel_waiting();
  paused_ = false;
  if (phase == Phase::kLeaving) {
    writable_.cancel();
    send_retry_.disarm();
  } else if (phase != Phase::kClosed) {
    let_flow();
    progress_ns_ = busy_ns_ = shard_->io.now_ns();
    queue_ = held_.size() + unsent();
    if (phase == Phase::kClosing) {
      end_wanted_ = true;
    }
  }
  if (!step_.in_flight()) {
    shard_->io.yield(step_);
  }
}

/// Everything that waits for the other side ends; a finish waits for our own queue and goes on.
void TcpLink::cancel_waiting() {
  cancel_readable();
  if (draining_ != nullptr) {
    complete_later(draining_, -ECANCELED);
  }
  if (phase_ == Phase::kLeaving && finishing_ != nullptr) {
    complete_later(finishing_, -ECANCELED);
  }
}

void TcpLink::cancel_readable() {
  readable_.cancel();
  if (receive_retry_.armed()) {
    receive_retry_.disarm();
    if (receiving_ != nullptr) {
      complete_later(receiving_, -ECANCELED);
    } else if (watching_ != nullptr) {
      complete_later(watching_, -ECANCELED);
    }
  }
}

// --- on the way ---------------------------------------------------------------------------------

void TcpLink::on_step(Outcome) {
  if (phase_ == Phase::kAborting || phase_ == Phase::kClosing) {
    arm_probe();
  }
  advance();
}

void TcpLink::arm_probe() {
  const bool soon = held_.empty() && (phase_ == Phase::kAborting || linger_ns_ == 0);
  shard_->io.arm_after_ms(probe_, soon ? kAbortProbeMs : kCloseProbeMs);
}

void TcpLink::on_probe() {
  const std::uint64_t now = shard_->io.now_ns();
  const std::size_t queue = held_.size() + unsent();
  if (queue > 0) {
    busy_ns_ = now;
  }
  if (queue < queue_) {
    progress_ns_ = now;
  }
  queue_ = queue;
  if (queue > 0 && now - progress_ns_ >= ns_of_ms(kAbortStallMs)) {
    leave_socket(-ETIMEDOUT, true);
  } else if (phase_ == Phase::kClosing && queue == 0 && now - busy_ns_ >= linger_ns_) {
    leave_socket(0, reset_);
  } else {
    arm_probe();
  }
  advance();
}

void TcpLink::ending_readable(Outcome outcome) {
  const bool fired = outcome.result >= 0 && !readable_.cancelled();
  if (watching_ != nullptr) {
    complete_now(watching_, -ECANCELED);
  } else if (receiving_ != nullptr) {
    run_turn(-ECANCELED);
  } else if (phase_ == Phase::kClosing && fired) {
    receive_turn(kTurnBytes); // and forget it
  } else if (phase_ == Phase::kAborting && fired) {
    leave_socket(0, true); // broken: nobody is left who could be told
  }
  advance();
}

/// From a callback of the loop: looks whether the ending can go on. `this` may be gone after.
void TcpLink::advance() {
  if (step_.in_flight()) {
    return;
  }
  if (phase_ == Phase::kAborting) {
    advance_abort();
  } else if (phase_ == Phase::kClosing) {
    advance_close();
  }
  if (phase_ == Phase::kLeaving || phase_ == Phase::kClosed) {
    try_close();
  }
}

void TcpLink::advance_abort() {
  if (broken_ || (received_end_ && received_end_->aborted) || (held_.empty() && unsent() == 0)) {
    leave_socket(0, true);
    return;
  }
  if (held_.empty() && !readable_.armed() && !receive_retry_.armed()) {
    readable_.set_bulk(false);
    await(Interest::kBroken);
    arm_probe(); // it is looked at more often now
  }
}

void TcpLink::advance_close() {
  if (held_.empty() && !end_sent_ && !broken_) {
    send_end();
  }
  if (held_.empty() && finishing_ != nullptr) {
    complete_later(finishing_, 0);
  }
  if (broken_ || (received_end_ && received_end_->aborted)) {
    leave_socket(0, reset_);
  } else if (received_end_ && held_.empty()) {
    leave_socket(0, false); // the kernel goes on sending what it has; linger is off by now
  } else if (reset_ && held_.empty() && unsent() == 0) {
    leave_socket(0, true);
  } else if (!received_end_ && !readable_.armed() && !receive_retry_.armed()) {
    await(Interest::kReadable);
  }
}

// --- cancel, join, close ------------------------------------------------------------------------

void TcpLink::leave_socket(int outcome, bool reset) {
  outcome_ = outcome;
  reset_ = reset;
  phase_ = Phase::kLeaving;
  cancel_waiting();
  writable_.cancel();
  send_retry_.disarm();
}

void TcpLink::try_close() {
  probe_.disarm();
  if (readable_.armed() || writable_.armed() || step_.in_flight()) {
    return;
  }
  if (phase_ == Phase::kLeaving) {
    phase_ = Phase::kClosed;
    held_.clear();
    if (reset_) {
      shard_->io.set_option(socket_, SocketOption::kLingerZero, 1);
    }
    shard_->io.close(socket_);
    socket_ = {};
  }
  if (dropping_ != nullptr) {
    complete_end(dropping_, 0);
  } else if (ending_ != nullptr) {
    complete_end(ending_, outcome_);
  }
}

} // namespace culvert
