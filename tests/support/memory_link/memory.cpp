#include "support/memory_link/memory.hpp"

#include "link/os_status.hpp"
#include "support/memory_link/memory_wire.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {

MemoryLink::MemoryLink(Shard &shard, std::shared_ptr<MemoryWire> out,
                       std::shared_ptr<MemoryWire> in)
    : Link(shard), out_(std::move(out)), in_(std::move(in)) {
  step_.bind<&MemoryLink::on_step>(*this);
  timer_.bind<&MemoryLink::on_timer>(*this);
}

MemoryLink::Pair MemoryLink::make_pair(Shard &shard, std::size_t wire_bytes) {
  auto there = std::make_shared<MemoryWire>(wire_bytes);
  auto back = std::make_shared<MemoryWire>(wire_bytes);
  Pair pair{new MemoryLink(shard, there, back), new MemoryLink(shard, back, there)};
  pair.first->other_ = pair.second.get();
  pair.second->other_ = pair.first.get();
  return pair;
}

MemoryLink::~MemoryLink() {
  if (phase_ != Phase::kClosed) {
    cut(true);
  }
  if (other_ != nullptr) {
    other_->other_ = nullptr;
  }
}

// --- what happens to either end -----------------------------------------------------------------

/// Counts and completes what has become true since the last look.
void MemoryLink::look() {
  if (shard_ == nullptr || phase_ == Phase::kClosed) {
    return;
  }
  if (out_->reader_gone && !broken_) {
    broken_ = os_status(ECONNRESET, "send");
    out_->discard_all();
  }
  count_held();
  const bool sent = held() == 0;
  const bool end_arrived = in_->end && in_->held() == 0;
  if (receiving_ != nullptr && (in_->any_piece() || in_->end)) {
    complete_later(receiving_, 0);
  }
  if (watching_ != nullptr && (out_->reader_gone || (end_arrived && !received_end_))) {
    complete_later(watching_, 0);
  }
  if (draining_ != nullptr && sent) {
    complete_later(draining_, 0);
  }
  if (finishing_ != nullptr && sent) {
    complete_later(finishing_, 0);
  }
  if (phase_ != Phase::kOpen && !step_.in_flight()) {
    shard_->io.yield(step_);
  }
}

void MemoryLink::both_look() {
  if (other_ != nullptr) {
    other_->look();
  }
  look();
}

void MemoryLink::count_held() {
  const std::size_t now = held();
  if (now > counted_) {
    shard_->held.take(now - counted_);
  } else if (now < counted_) {
    shard_->held.give(counted_ - now);
  }
  counted_ = now;
}

// --- receiving ----------------------------------------------------------------------------------

void MemoryLink::start_receive() {
  CULVERT_ASSERT(phase_ == Phase::kOpen && watching_ == nullptr);
  turn_received_ = false;
  turn_size_ = turn_taken_ = 0;
  look();
}

bool MemoryLink::take_own(Chunk &chunk, const Take &how) {
  const std::span<std::byte> room = shard_->buffers.receive();
  if (!turn_received_) {
    turn_received_ = true;
    turn_size_ = in_->get(room.first(std::min(how.turn_bytes, room.size())));
    both_look();
  }
  if (!in_->any_piece() || (turn_taken_ == turn_size_ && in_->piece().size > 0)) {
    if (!in_->any_piece() && in_->end) {
      received_end_ = *in_->end;
    }
    return false;
  }
  MemoryWire::Piece &piece = in_->piece();
  const std::size_t size = std::min({piece.size, how.chunk_bytes, turn_size_ - turn_taken_});
  const bool whole = size == piece.size;
  chunk = {room.data() + turn_taken_, size, how.keep ? 0 : kHeadroom + turn_taken_, piece.kind,
           whole && piece.end_of_message};
  turn_taken_ += size;
  piece.size -= size;
  if (whole) {
    in_->pop_piece();
  }
  return true;
}

void MemoryLink::watch(Completion &completion) {
  CULVERT_ASSERT(phase_ == Phase::kOpen && receiving_ == nullptr);
  begin(watching_, completion);
  look();
}

// --- sending ------------------------------------------------------------------------------------

std::size_t MemoryLink::held() const {
  return out_->held();
}

void MemoryLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(phase_ == Phase::kOpen && (chunk.size > 0 || chunk.end_of_message));
  if (!broken_) {
    CULVERT_ASSERT(!out_->end);
    out_->put(chunk);
  }
}

void MemoryLink::flush() {
  both_look();
}

void MemoryLink::drain(Completion &completion) {
  begin(draining_, completion);
  look();
}

void MemoryLink::finish(const Ending &ending, Completion &completion) {
  CULVERT_ASSERT(!ending.aborted && !out_->end && phase_ == Phase::kOpen);
  begin(finishing_, completion);
  out_->end = ending;
  both_look();
}

// --- ending -------------------------------------------------------------------------------------

void MemoryLink::abort(Completion &completion) {
  CULVERT_ASSERT(ending_ == nullptr && phase_ == Phase::kOpen);
  begin(ending_, completion);
  if (finishing_ != nullptr && held() > 0) { // the abort takes its place
    complete_later(finishing_, -ECANCELED);
    out_->end.reset();
  }
  begin_ending(Phase::kAborting);
}

void MemoryLink::close(Completion &completion) {
  CULVERT_ASSERT(ending_ == nullptr && phase_ == Phase::kOpen);
  begin(ending_, completion);
  if (!out_->end) {
    out_->end = Ending::finished();
  }
  begin_ending(Phase::kClosing);
}

void MemoryLink::begin_ending(Phase phase) {
  phase_ = phase;
  cancel_waiting();
  arm_timer();
  both_look();
}

void MemoryLink::drop(Completion &completion) {
  CULVERT_ASSERT(dropping_ == nullptr);
  begin(dropping_, completion);
  cancel_waiting();
  if (finishing_ != nullptr) {
    complete_later(finishing_, -ECANCELED);
  }
  if (ending_ != nullptr) {
    complete_later(ending_, -ECANCELED);
  }
  if (phase_ != Phase::kClosed) {
    cut(true);
  }
  if (!step_.in_flight()) {
    shard_->io.yield(step_);
  }
}

void MemoryLink::cancel_waiting() {
  for (Completion **slot : {&receiving_, &watching_, &draining_}) {
    if (*slot != nullptr) {
      complete_later(*slot, -ECANCELED);
    }
  }
}

void MemoryLink::cancel(Completion &completion) {
  for (Completion **slot : {&receiving_, &watching_, &draining_}) {
    if (*slot == &completion) {
      complete_later(*slot, -ECANCELED);
    }
  }
}

void MemoryLink::arm_timer() {
  queue_ = held();
  shard_->io.arm_after_ms(timer_, queue_ == 0 ? kLingerMs : kAbortStallMs);
}

void MemoryLink::on_timer() {
  if (held() > 0 && held() < queue_) {
    arm_timer();
    return;
  }
  timed_out_ = true;
  look();
}

void MemoryLink::on_step(Outcome) {
  if (phase_ == Phase::kClosed) {
    complete_end(dropping_, 0);
    return;
  }
  const bool sent = held() == 0;
  if (sent && queue_ > 0) {
    arm_timer(); // from here on it is the other side's turn
  }
  if (timed_out_) {
    cut(true);
    complete_end(ending_, sent ? 0 : -ETIMEDOUT);
  } else if (phase_ == Phase::kAborting) {
    if (sent) {
      cut(true);
      complete_end(ending_, 0);
    }
  } else {
    discard_input();
    if (broken_ || (sent && received_end_)) {
      cut(false);
      complete_end(ending_, 0);
    }
  }
}

void MemoryLink::discard_input() {
  const bool any = in_->any_piece();
  in_->discard_all();
  if (in_->end && !received_end_) {
    received_end_ = *in_->end;
  }
  if (any && other_ != nullptr) {
    other_->look();
  }
}

/// This end is gone; what is in the wire arrives all the same.
void MemoryLink::cut(bool reset) {
  phase_ = Phase::kClosed;
  timer_.disarm();
  out_->discard_held();
  if (shard_ != nullptr) {
    count_held();
  }
  if (reset && !out_->end) {
    out_->end = Ending::abort(os_status(ECONNRESET, "receive"));
  }
  if (!in_->end) {
    in_->reader_gone = true;
    in_->discard_all();
  }
  if (other_ != nullptr) {
    other_->look();
  }
}

LinkFacts MemoryLink::facts() const {
  LinkFacts facts;
  facts.tells_ends = true;
  return facts;
}

// --- moving -------------------------------------------------------------------------------------

void MemoryLink::leave() {
  CULVERT_ASSERT(phase_ == Phase::kOpen && watching_ == nullptr && draining_ == nullptr);
  CULVERT_ASSERT(finishing_ == nullptr && !step_.in_flight());
  shard_->held.give(counted_);
  counted_ = 0;
  Link::leave();
}

void MemoryLink::arrive(Shard &shard) {
  Link::arrive(shard);
  look();
}

} // namespace culvert
