#include "link/tls.hpp"

#include <cerrno>

namespace culvert {

void TlsLink::finish(const Ending &ending, Completion &completion) {
  CULVERT_ASSERT(ready_ && !ending.aborted && !finish_asked_ && end_ == End::kNone);
  begin(finishing_, completion);
  flush();
  finish_asked_ = true;
  advance_finish();
}

void TlsLink::advance_finish() {
  if (finishing_ == nullptr) {
    return;
  }
  if (!broken_ && below_->held() == 0 && !notify_sent_) {
    notify_sent_ = true;
    open_turn();
    records_.close_notify();
    push_turn();
    wire_.close_turn();
  }
  if (!broken_ && below_->held() > 0) {
    arm_below_drain();
  } else {
    complete_later(finishing_, 0);
  }
}

void TlsLink::abort(Completion &completion) {
  begin_end(ending_, completion, false);
}

void TlsLink::close(Completion &completion) {
  begin_end(ending_, completion, true);
}

void TlsLink::begin_end(Completion *&slot, Completion &completion, bool clean) {
  CULVERT_ASSERT(end_ == End::kNone);
  begin(slot, completion);
  flush();
  end_ = End::kWaiting;
  end_clean_ = clean;
  cancel_waiting();
  stall_held_ = below_->held();
  advance_end();
}

/// The operations above end now; those below are joined by the end of the link below.
void TlsLink::cancel_waiting() {
  for (Completion **slot : {&handshaking_, &receiving_, &watching_, &draining_, &finishing_}) {
    if (*slot != nullptr) {
      complete_later(*slot, -ECANCELED);
    }
  }
}

/// What is to be said before the end waits for its turn behind what is held.
void TlsLink::advance_end() {
  if (end_ != End::kWaiting) {
    return;
  }
  const bool notify = end_clean_ && ready_ && !notify_sent_ && !broken_;
  if ((notify || wire_.has_pending()) && !below_->broken()) {
    if (below_->held() > 0) {
      arm_below_drain();
      if (!stall_.armed()) {
        shard_->io.arm_after_ms(stall_, kAbortStallMs);
      }
      return;
    }
    open_turn();
    if (notify) {
      notify_sent_ = true;
      records_.close_notify();
    }
    push_turn();
    wire_.close_turn();
  }
  stall_.disarm();
  end_ = End::kBelow;
  if (end_clean_) {
    below_->close(below_end_);
  } else {
    below_->abort(below_end_);
  }
}

void TlsLink::on_stall() {
  if (below_->held() < stall_held_) {
    stall_held_ = below_->held();
    shard_->io.arm_after_ms(stall_, kAbortStallMs);
  } else {
    end_result_ = -ETIMEDOUT;
    drop_below();
  }
}

void TlsLink::drop(Completion &completion) {
  CULVERT_ASSERT(dropping_ == nullptr);
  begin(dropping_, completion);
  stall_.disarm();
  wire_.close_turn();
  gathered_ = 0;
  cancel_waiting();
  if (ending_ != nullptr) {
    complete_later(ending_, -ECANCELED);
  }
  if (end_ != End::kDropping) {
    drop_below();
  }
}

void TlsLink::drop_below() {
  end_ = End::kDropping;
  below_->drop(below_drop_);
}

void TlsLink::on_below_end(Outcome outcome) {
  if (end_ == End::kBelow) { // else the drop behind it is the last one
    end_result_ = outcome.result;
    ended_below_ = true;
    try_end();
  }
}

void TlsLink::on_below_drop(Outcome) {
  ended_below_ = true;
  try_end();
}

void TlsLink::try_end() {
  if (!ended_below_ || start_.in_flight()) {
    return;
  }
  if (dropping_ != nullptr) {
    complete_end(dropping_, 0);
  } else {
    complete_end(ending_, end_result_);
  }
}

} // namespace culvert
