#include "link/os_status.hpp"
#include "link/tcp.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {

// --- a tunnel's end -----------------------------------------------------------------------------

// Linger 0 on a tunnel's end makes the kernel reset it when this process is killed. It is off again
// when no bytes are left that a reset could destroy.

void TcpLink::end_tunnel_here() {
  if (unix_ || linger_zero_ != LingerZero::kNever) {
    return;
  }
  linger_zero_ = LingerZero::kOn;
  shard_->io.set_option(socket_, SocketOption::kLingerZero, 1);
  shard_->io.set_option(socket_, SocketOption::kUrgentInline, 1);
  note_ends();
}

void TcpLink::note_ends() {
  const bool both = sending_ == Sending::kEnded && received_end_ && !received_end_->aborted;
  if (linger_zero_ == LingerZero::kOn && both) {
    linger_zero_ = LingerZero::kOff;
    shard_->io.set_option(socket_, SocketOption::kLingerZero, 0);
  }
}

// --- the questions of the ending ----------------------------------------------------------------

void TcpLink::prepare_end(End end) {
  if (end == End::kDrop) {
    forget_parts();
    exit_ = Exit::kReset;
    return;
  }
  push_out();
  cancel_reading();
  if (end == End::kAbort && linger_zero_ == LingerZero::kOn) {
    // A FIN before the reset would give an idle reader a clean end, so none is sent. A FIN that was
    // sent already cannot be taken back; a reset can only follow it.
    exit_ = sending_ == Sending::kEnded ? Exit::kResetBehindFin : Exit::kReset;
  }
  if (exit_ == Exit::kReset) {
    sending_ = Sending::kOpen;
    complete_later(finishing_, -ECANCELED);
  } else if (sending_ == Sending::kOpen) {
    sending_ = Sending::kEndDue;
  }
  paused_ = false;
  resume_held();
}

/// True if the peer cannot receive anything any more.
bool TcpLink::broke() const {
  return broken_ || (received_end_ && received_end_->aborted);
}

bool TcpLink::output_waits() const {
  if (broke()) {
    return false;
  }
  switch (exit_) {
  case Exit::kFin:
    return sending_ == Sending::kEndDue;
  case Exit::kReset:
    return queue_seen() > 0;
  case Exit::kResetBehindFin:
    return !received_end_ && queue_seen() > 0;
  }
  return false;
}

void TcpLink::send_output() {
  if (!held_.empty()) {
    return;
  }
  if (sending_ == Sending::kEndDue && !broken_) {
    send_end();
  }
  if (exit_ != Exit::kReset) {
    complete_later(finishing_, 0);
  }
}

/// After the peer's end the kernel still sends what it has; linger is off by then.
bool TcpLink::awaits_peer() const {
  return exit_ == Exit::kFin && !broke() && !received_end_;
}

void TcpLink::arm_ending() {
  if (readable_.armed() || receive_retry_.armed()) {
    return;
  }
  const bool reset = exit_ == Exit::kReset;
  if (reset ? !held_.empty() : received_end_.has_value()) {
    return;
  }
  if (!reset && discards_ > 0) {
    await(Interest::kReadable);
  } else {
    readable_.set_bulk(false);
    await(Interest::kBroken);
  }
}

void TcpLink::on_readable_ending(Outcome outcome) {
  if (outcome.result < 0 || readable_.cancelled() || state() >= State::kEndingBelow) {
    return;
  }
  if (exit_ == Exit::kReset || discards_ == 0) {
    received_error(ECONNRESET);
  } else {
    turn_size_ = 0;
    receive_turn(std::min(kTurnBytes, discards_)); // and discard it
    discards_ -= turn_size_;
    turn_size_ = 0;
  }
}

/// Held and unacknowledged bytes. The kernel has no event for an acknowledgement.
std::size_t TcpLink::queue() const {
  return held_.size() + static_cast<std::size_t>(std::max(shard_->io.unsent_bytes(socket_), 0));
}

/// While a reset waits for bytes to arrive, it checks them often as long as they become fewer, and
/// less and less often otherwise: a peer may read nothing for a minute.
std::uint64_t TcpLink::next_check_ms() {
  if (exit_ == Exit::kFin || !held_.empty()) {
    return shard_->limits.linger_ms / 10; // of the deadline it has to keep
  }
  check_ms_ = queue_seen() < checked_ ? kAbortProbeMs : std::min(2 * check_ms_, kAbortProbeMostMs);
  checked_ = queue_seen();
  return check_ms_;
}

bool TcpLink::resets() const {
  return exit_ == Exit::kReset || (exit_ == Exit::kResetBehindFin && !received_end_);
}

void TcpLink::release(End) {
  cancel_reading();
  writable_.cancel();
  send_retry_.disarm();
}

void TcpLink::on_gone() {
  held_.clear();
  if (resets()) {
    shard_->io.set_option(socket_, SocketOption::kLingerZero, 1);
  }
  shard_->io.close(socket_);
  socket_ = {};
}

} // namespace culvert
