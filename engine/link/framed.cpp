#include "link/framed.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace culvert {

FramedLink::FramedLink(Shard &shard, std::unique_ptr<Link> below, const PingOptions &pings)
    : Link(shard), below_(std::move(below)), gathers_(below_->facts().gathers), pings_(pings) {
  below_receive_.bind<&FramedLink::on_below_receive>(*this);
  below_watch_.bind<&FramedLink::on_below_watch>(*this);
  below_drain_.bind<&FramedLink::on_below_drain>(*this);
  below_end_.bind<&FramedLink::on_below_end>(*this);
  below_drop_.bind<&FramedLink::on_below_drop>(*this);
  word_timer_.bind<&FramedLink::on_word_timer>(*this);
  ping_timer_.bind<&FramedLink::on_ping_timer>(*this);
  end_timer_.bind<&FramedLink::on_end_timer>(*this);
  if (gathers_) {
    slots_ = std::make_unique<std::array<HeaderSlot, kGatherParts>>();
  }
  if (pings_.interval_ms > 0) {
    shard.io.arm_after_ms(ping_timer_, pings_.interval_ms);
  }
}

// --- receiving ----------------------------------------------------------------------------------

void FramedLink::start_receive() {
  alive_ = true;
  cancel_asked_ = false;
  if (below_->received_end() != nullptr) { // seen in a turn that was declined
    complete_later(receiving_, 0);
  } else {
    below_->receive(below_receive_);
  }
}

void FramedLink::on_below_receive(Outcome outcome) {
  alive_ = true;
  const std::string lost = std::exchange(given_up_, {});
  if (end_ != End::kNone || dropping_ != nullptr) {
    Chunk chunk;
    if (outcome.result == 0 && !ending_below_) {
      while (take_own(chunk, Take{})) {
        // Nobody wants it; the peer's end may stand behind it.
      }
    }
    work();
    return;
  }
  if (!lost.empty() && !cancel_asked_ && outcome.result < 0) {
    stop_pings();
    received_end_ =
        Ending::abort(Status::failure(Code::kTimeout, Source::kRelay, Retry::kBackoff, lost));
    turn_without_below_ = true;
    complete_now(receiving_, 0);
    turn_without_below_ = false;
    return;
  }
  complete_now(receiving_, outcome.result);
}

bool FramedLink::take_below(Chunk &piece, const Take &how) {
  if (turn_without_below_) {
    return false;
  }
  // Whole records, whatever the caller's largest chunk: a record cut to it leaves a few bytes, and
  // those a frame, and a copy behind them, of their own.
  const Take whole{how.turn_bytes, kTurnBytes, how.keep};
  if (below_->received_end() == nullptr && below_->take(piece, whole)) {
    return true;
  }
  if (below_->received_end() != nullptr && !received_end_) {
    stop_pings();
    on_end_below(*below_->received_end());
  }
  return false;
}

void FramedLink::watch(Completion &completion) {
  begin(watching_, completion);
  below_->watch(below_watch_);
}

void FramedLink::on_below_watch(Outcome outcome) {
  if (watching_ != nullptr) {
    complete_now(watching_, outcome.result);
  } else {
    work(); // an ending waited for it
  }
}

// --- sending ------------------------------------------------------------------------------------

void FramedLink::send_frame_below(std::span<const std::byte> header, const Chunk &payload) {
  if (!gathers_ && payload.headroom >= header.size()) {
    std::byte *at = payload.data - header.size();
    std::copy(header.begin(), header.end(), at);
    below_->send({at, payload.size + header.size(), payload.headroom - header.size()});
    return;
  }
  // A slot is used again kGatherParts headers later. Nearly each of those came with a payload, and
  // the link below keeps at most kGatherParts parts: it has let go of the slot by then.
  HeaderSlot here;
  HeaderSlot &slot = gathers_ ? (*slots_)[next_slot_] : here;
  next_slot_ = (next_slot_ + 1) % kGatherParts;
  std::copy(header.begin(), header.end(), slot.begin());
  below_->send({slot.data(), header.size(), 0});
  if (payload.size > 0) {
    below_->send({payload.data, payload.size, 0});
  }
}

void FramedLink::flush() {
  if (paused_) {
    wake();
  }
  below_->flush();
  note_broken();
}

void FramedLink::note_broken() {
  if (!broken_ && below_->broken()) {
    broken_ = below_->broken();
  }
}

void FramedLink::drain(Completion &completion) {
  begin(draining_, completion);
  paused_ = false;
  if (clear() || broken_) {
    complete_later(draining_, 0);
  } else if (!below_drain_.in_flight()) {
    below_->drain(below_drain_);
  }
}

void FramedLink::on_below_drain(Outcome outcome) {
  if (outcome.result == -ECANCELED && draining_ != nullptr && !ending_below_) {
    complete_later(draining_, -ECANCELED);
  }
  paused_ = paused_ && outcome.result == -ECANCELED;
  work();
}

void FramedLink::work() {
  if (dropping_ != nullptr || ending_below_ || paused_) {
    return;
  }
  if (word_due() && below_->held() == 0 && !below_->broken()) {
    send_words();
    below_->flush();
  }
  note_broken();
  if (draining_ != nullptr && (clear() || broken_)) {
    complete_later(draining_, 0);
  }
  settle_finish();
  const bool wanted = word_due() || draining_ != nullptr || finishing_ != nullptr ||
                      (end_ != End::kNone && waiting_ == Wait::kWord);
  if (wanted && !clear() && !below_drain_.in_flight()) {
    below_->drain(below_drain_);
  }
  advance_end();
}

// --- liveness -----------------------------------------------------------------------------------

/// Of a channel that awaits pongs, a byte counts as one, whatever it is of.
void FramedLink::on_ping_timer() {
  if (received_end_ || end_ != End::kNone) {
    return;
  }
  const bool awaited = pong_due_;
  pong_due_ = false;
  if (awaited && !alive_ && receiving_ != nullptr) {
    give_up("no pong within " + std::to_string(pong_ms()) + " ms");
  } else if (awaited && pong_ms() < pings_.interval_ms) {
    shard_->io.arm_after_ms(ping_timer_, pings_.interval_ms - pong_ms());
  } else if (pings_.awaits_pong && !broken_) {
    alive_ = false;
    pong_due_ = true;
    shard_->io.arm_after_ms(ping_timer_, pong_ms());
    queue_ping(); // behind what is held: its peer would have read that
    work();
  } else if (below_->silent_ms() >= kSilentPeerMs && receiving_ != nullptr) {
    give_up("the peer has acknowledged nothing for " + std::to_string(kSilentPeerMs / 1'000) +
            " s");
  } else {
    shard_->io.arm_after_ms(ping_timer_, pings_.interval_ms);
    if (below_->held() == 0 && !broken_) {
      queue_ping();
      work();
    }
  }
}

/// Unless the receive turns out to have something.
void FramedLink::give_up(std::string why) {
  given_up_ = std::move(why);
  shard_->io.arm_after_ms(ping_timer_, pings_.interval_ms);
  below_->cancel(below_receive_);
}

// --- endings ------------------------------------------------------------------------------------

void FramedLink::cancel_armed() {
  for (Completion **slot : {&receiving_, &watching_, &draining_}) {
    if (*slot != nullptr) {
      complete_later(*slot, -ECANCELED);
    }
  }
  if (below_watch_.in_flight()) {
    below_->cancel(below_watch_);
  }
}

void FramedLink::begin_end(End end, Completion &completion) {
  CULVERT_ASSERT(end_ == End::kNone);
  begin(ending_, completion);
  end_ = end;
  stop_pings();
  cancel_armed();
  if (end == End::kClose) {
    finish_unasked();
  } else {
    take_back_finish();
  }
  wake();
}

void FramedLink::advance_end() {
  if (end_ == End::kNone || ending_below_ || below_watch_.in_flight()) {
    return;
  }
  Wait wait = below_->broken() ? Wait::kNothing : wait_for(end_);
  if (wait == Wait::kPeer && (patience_over_ || below_->received_end() != nullptr)) {
    wait = Wait::kNothing;
  }
  if (wait != Wait::kNothing) {
    if (wait != waiting_) {
      waiting_ = wait;
      end_held_ = below_->held();
      shard_->io.arm_after_ms(end_timer_, wait == Wait::kWord ? kAbortStallMs : patience_ms());
    }
    if (wait == Wait::kPeer && !below_receive_.in_flight()) {
      below_->receive(below_receive_);
    } else if (wait == Wait::kWord && !clear() && !below_drain_.in_flight()) {
      below_->drain(below_drain_);
    }
    return;
  }
  end_timer_.disarm();
  ending_below_ = true;
  if (end_ == End::kAbort) {
    below_->abort(below_end_);
  } else {
    below_->close(below_end_);
  }
}

void FramedLink::on_end_timer() {
  if (waiting_ == Wait::kPeer) {
    patience_over_ = true;
    advance_end();
  } else if (below_->held() != end_held_) {
    end_held_ = below_->held();
    shard_->io.arm_after_ms(end_timer_, kAbortStallMs);
  } else {
    timed_out_ = true;
    ending_below_ = true;
    below_->drop(below_drop_);
  }
}

void FramedLink::on_below_end(Outcome outcome) {
  if (below_drop_.in_flight()) {
    return; // its completion comes behind this one and completes both
  }
  if (finishing_ != nullptr) {
    complete_later(finishing_, -ECANCELED);
  }
  word_timer_.disarm();
  complete_end(ending_, outcome.result);
}

void FramedLink::drop(Completion &completion) {
  begin(dropping_, completion);
  cancel_armed();
  stop_pings();
  word_timer_.disarm();
  end_timer_.disarm();
  if (!below_drop_.in_flight()) { // else it drops itself already
    ending_below_ = true;
    below_->drop(below_drop_);
  }
}

void FramedLink::on_below_drop(Outcome outcome) {
  for (Completion **slot : {&finishing_, &draining_}) {
    if (*slot != nullptr) {
      complete_later(*slot, -ECANCELED);
    }
  }
  word_timer_.disarm();
  if (dropping_ == nullptr) {
    complete_end(ending_, -ETIMEDOUT);
    return;
  }
  if (ending_ != nullptr) {
    complete_later(ending_, timed_out_ ? -ETIMEDOUT : -ECANCELED);
  }
  complete_end(dropping_, outcome.result);
}

// --- the rest -----------------------------------------------------------------------------------

void FramedLink::cancel(Completion &completion) {
  if (&completion == receiving_) {
    if (below_receive_.in_flight()) {
      cancel_asked_ = true;
      below_->cancel(below_receive_);
    }
  } else if (&completion == watching_) {
    below_->cancel(below_watch_);
  } else if (&completion == draining_) {
    if (finishing_ != nullptr || !below_drain_.in_flight()) { // the drain below is wanted on
      complete_later(draining_, -ECANCELED);
    } else {
      paused_ = true; // words of its own wait with what is held
      below_->cancel(below_drain_);
    }
  }
}

void FramedLink::leave() {
  CULVERT_ASSERT(!below_receive_.in_flight() && !below_watch_.in_flight() &&
                 !below_drain_.in_flight() && end_ == End::kNone && dropping_ == nullptr);
  stop_pings();
  word_timer_.disarm();
  below_->leave();
  Link::leave();
}

void FramedLink::arrive(Shard &shard) {
  Link::arrive(shard);
  below_->arrive(shard);
  alive_ = true;
  pong_due_ = false;
  paused_ = false;
  if (pings_.interval_ms > 0 && !received_end_) {
    shard.io.arm_after_ms(ping_timer_, pings_.interval_ms);
  }
  if (word_due()) {
    wake();
  }
}

} // namespace culvert
