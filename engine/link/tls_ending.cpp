#include "link/tls.hpp"

#include <cerrno>

namespace culvert {

// --- finish -------------------------------------------------------------------------------------

void TlsLink::start_finish(const Ending &) {
  CULVERT_ASSERT(stage_ == Session::kReady);
  flush();
  if (sending_ == Sending::kOpen) {
    sending_ = Sending::kEndDue;
  }
  advance_finish();
}

void TlsLink::advance_finish() {
  if (finishing_ == nullptr) {
    return;
  }
  if (!broken_ && below_->held() == 0 && sending_ == Sending::kEndDue) {
    send_close_notify();
  }
  if (!broken_ && below_->held() > 0) {
    drain_below();
  } else {
    complete_later(finishing_, 0);
  }
}

void TlsLink::send_close_notify() {
  sending_ = Sending::kEnded;
  open_turn();
  records_.close_notify();
  push_turn();
  wire_.close_turn();
}

// --- the questions of the ending ----------------------------------------------------------------

void TlsLink::prepare_end(End end) {
  complete_later(handshaking_, -ECANCELED);
  if (end == End::kDrop) {
    wire_.close_turn();
    gathered_ = 0;
    return;
  }
  flush();
  if (end == End::kAbort) {
    complete_later(finishing_, -ECANCELED);
    if (sending_ == Sending::kEndDue) {
      sending_ = Sending::kOpen;
    }
  } else if (sending_ == Sending::kOpen && stage_ == Session::kReady) {
    sending_ = Sending::kEndDue;
  }
}

/// Waits for close_notify, and for alerts and answers that libssl wrote while it read.
bool TlsLink::output_waits() const {
  const bool notify = sending_ == Sending::kEndDue && !broken_;
  return (notify || wire_.has_pending()) && !below_->broken();
}

void TlsLink::send_output() {
  if (!output_waits() || below_->held() > 0) {
    return;
  }
  if (sending_ == Sending::kEndDue && !broken_) {
    send_close_notify();
    return;
  }
  open_turn();
  push_turn();
  wire_.close_turn();
}

} // namespace culvert
