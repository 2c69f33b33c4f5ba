#include "link/framed.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace culvert {

FramedLink::FramedLink(Shard &shard, std::unique_ptr<Link> below, const PingOptions &pings)
    : LayeredLink(shard, std::move(below)), gathers_(below_->facts().gathers), pings_(pings) {
  ping_timer_.bind<&FramedLink::on_ping_timer>(*this);
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
  receive_below();
}

void FramedLink::on_below_receive(Outcome outcome) {
  alive_ = true;
  const std::string lost = std::exchange(given_up_, {});
  if (!open()) {
    Chunk chunk;
    while (below_turn_ && take_own(chunk, Take{})) {
      // The chunk is discarded; the peer's end may follow it.
    }
    work();
    return;
  }
  if (!lost.empty() && !cancel_asked_ && outcome.result < 0) {
    stop_pings();
    received_end_ =
        Ending::abort(Status::failure(Code::kTimeout, Source::kRelay, Retry::kBackoff, lost));
    complete_now(receiving_, 0);
    return;
  }
  complete_now(receiving_, outcome.result);
}

bool FramedLink::take_below(Chunk &piece, const Take &how) {
  // Takes whole records, whatever the caller's largest chunk is. A record cut to that size would
  // leave a few bytes, which need a frame and a copy of their own.
  const Take whole{how.turn_bytes, kTurnBytes, how.keep};
  if (below_turn_ && below_->take(piece, whole)) {
    return true;
  }
  below_turn_ = false;
  if (below_->received_end() != nullptr && !received_end_) {
    stop_pings();
    on_end_below(*below_->received_end());
  }
  return false;
}

void FramedLink::cancel_reading() {
  cancel_asked_ = true;
  LayeredLink::cancel_reading();
}

// --- sending ------------------------------------------------------------------------------------

void FramedLink::send_frame_below(std::span<const std::byte> header, const Chunk &payload) {
  if (!gathers_ && payload.headroom >= header.size()) {
    std::byte *at = payload.data - header.size();
    std::copy(header.begin(), header.end(), at);
    below_->send({at, payload.size + header.size(), payload.headroom - header.size()});
    return;
  }
  if (slots_used_ == kGatherParts) { // the link below keeps references to all of them
    below_->flush();
    slots_used_ = 0;
  }
  HeaderSlot here;
  HeaderSlot &slot = gathers_ ? (*slots_)[slots_used_++] : here;
  std::copy(header.begin(), header.end(), slot.begin());
  below_->send({slot.data(), header.size(), 0});
  if (payload.size > 0) {
    below_->send({payload.data, payload.size, 0});
  }
}

void FramedLink::flush() {
  if (paused_) {
    wake_for_own_frames();
  }
  below_->flush();
  slots_used_ = 0;
  note_broken();
}

void FramedLink::send_due_frames() {
  if (own_frame_due() && below_->held() == 0 && !below_->broken()) {
    send_own_frames();
    below_->flush();
    slots_used_ = 0;
  }
}

void FramedLink::start_drain() {
  paused_ = false;
  note_broken(); // what is below may have broken while it was read
  if (!clear() && !broken_) {
    drain_below();
  }
}

void FramedLink::cancel_drain() {
  if (finishing_ != nullptr || !below_drain_.in_flight()) { // the drain below is still needed
    complete_later(draining_, -ECANCELED);
  } else {
    paused_ = true; // its own frames wait together with the held bytes
    below_->cancel(below_drain_);
  }
}

void FramedLink::on_below_drain(Outcome outcome) {
  if (outcome.result == -ECANCELED && state() < State::kEndingBelow) {
    complete_later(draining_, -ECANCELED);
  }
  paused_ = paused_ && outcome.result == -ECANCELED;
  work();
}

/// Called from a callback of the loop: sends, completes and ends whatever is possible now.
void FramedLink::work() {
  if (state() >= State::kEndingBelow) {
    advance();
    return;
  }
  if (paused_) {
    return;
  }
  send_due_frames();
  note_broken();
  if (draining_ != nullptr && (clear() || broken_)) {
    complete_later(draining_, 0);
  }
  settle_finish();
  const bool wanted = own_frame_due() || draining_ != nullptr || finishing_ != nullptr;
  if (wanted && !clear()) {
    drain_below();
  }
  advance();
}

// --- liveness -----------------------------------------------------------------------------------

/// On a channel that awaits pongs, any byte counts as one.
void FramedLink::on_ping_timer() {
  if (received_end_ || !open()) {
    return;
  }
  const Beat beat = std::exchange(beat_, Beat::kPing);
  if (beat == Beat::kPong && !alive_ && receiving_ != nullptr) {
    give_up("no pong within " + std::to_string(pong_ms()) + " ms");
  } else if (beat == Beat::kPong && pong_ms() < pings_.interval_ms) {
    shard_->io.arm_after_ms(ping_timer_, pings_.interval_ms - pong_ms());
  } else if (pings_.awaits_pong && !broken_) {
    alive_ = false;
    beat_ = Beat::kPong;
    shard_->io.arm_after_ms(ping_timer_, pong_ms());
    queue_ping(); // after the held bytes: a living peer would have read those
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

/// Cancels the receive below. If it completes with bytes instead, the peer is alive.
void FramedLink::give_up(std::string why) {
  given_up_ = std::move(why);
  shard_->io.arm_after_ms(ping_timer_, pings_.interval_ms);
  below_->cancel(below_receive_);
}

// --- ending and moving --------------------------------------------------------------------------

void FramedLink::prepare_end(End end) {
  stop_pings();
  paused_ = false;
  queue_end(end);
}

void FramedLink::leave() {
  stop_pings();
  LayeredLink::leave();
}

void FramedLink::arrive(Shard &shard) {
  LayeredLink::arrive(shard);
  alive_ = true;
  beat_ = Beat::kPing;
  paused_ = false;
  if (pings_.interval_ms > 0 && !received_end_) {
    shard.io.arm_after_ms(ping_timer_, pings_.interval_ms);
  }
  if (own_frame_due()) {
    wake();
  }
}

} // namespace culvert
