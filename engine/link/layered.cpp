#include "link/layered.hpp"

namespace culvert {

LayeredLink::LayeredLink(Shard &shard, std::unique_ptr<Link> below)
    : Link(shard), below_(std::move(below)) {
  CULVERT_ASSERT(below_ != nullptr);
  below_receive_.bind<&LayeredLink::on_below_received>(*this);
  below_watch_.bind<&LayeredLink::on_below_watch>(*this);
  below_drain_.bind<&LayeredLink::on_below_drain>(*this);
  below_end_.bind<&LayeredLink::on_below_end>(*this);
  below_drop_.bind<&LayeredLink::on_below_drop>(*this);
}

void LayeredLink::receive_below() {
  below_turn_ = false;
  below_->receive(below_receive_);
}

/// Once the link below is ending, its turns are ignored.
void LayeredLink::on_below_received(Outcome outcome) {
  below_turn_ = outcome.result == 0 && state() < State::kEndingBelow;
  on_below_receive(outcome);
}

void LayeredLink::on_below_watch(Outcome outcome) {
  if (watching_ != nullptr) {
    complete_now(watching_, outcome.result);
  } else {
    advance();
  }
}

void LayeredLink::cancel_reading() {
  if (below_receive_.in_flight()) {
    below_->cancel(below_receive_);
  } else if (below_watch_.in_flight()) {
    below_->cancel(below_watch_);
  }
}

void LayeredLink::drain_below() {
  if (!below_drain_.in_flight()) {
    below_->drain(below_drain_);
  }
}

void LayeredLink::note_broken() {
  if (!broken_ && below_->broken()) {
    broken_ = below_->broken();
  }
}

// --- ending and moving --------------------------------------------------------------------------

/// What arrives is discarded from the beginning, not only once the own end is sent: two ends that
/// close while they hold bytes for each other would otherwise both wait for the other to read.
void LayeredLink::arm_ending() {
  if (state() == State::kSendingEnd) {
    drain_below();
  }
  if (below_watch_.in_flight()) {
    below_->cancel(below_watch_);
  } else if (!below_receive_.in_flight() && below_->received_end() == nullptr) {
    receive_below();
  }
}

void LayeredLink::release(End end) {
  switch (end) {
  case End::kAbort:
    below_->abort(below_end_);
    break;
  case End::kClose:
    below_->close(below_end_);
    break;
  default:
    below_->drop(below_drop_);
    break;
  }
}

void LayeredLink::on_below_end(Outcome outcome) {
  if (state() == State::kEndingBelow) {
    set_outcome(outcome.result);
  }
  advance();
}

void LayeredLink::leave() {
  CULVERT_ASSERT(!below_receive_.in_flight() && !below_watch_.in_flight());
  CULVERT_ASSERT(!below_drain_.in_flight());
  below_turn_ = false;
  below_->leave();
  Link::leave();
}

void LayeredLink::arrive(Shard &shard) {
  Link::arrive(shard);
  below_->arrive(shard);
}

} // namespace culvert
