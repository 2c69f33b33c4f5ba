#include "support/memory_link/memory.hpp"

#include "link/os_status.hpp"
#include "support/memory_link/memory_wire.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {

MemoryLink::MemoryLink(Shard &shard, std::shared_ptr<MemoryWire> out,
                       std::shared_ptr<MemoryWire> in)
    : Link(shard), out_(std::move(out)), in_(std::move(in)) {}

MemoryLink::Pair MemoryLink::make_pair(Shard &shard, std::size_t wire_bytes) {
  auto there = std::make_shared<MemoryWire>(wire_bytes);
  auto back = std::make_shared<MemoryWire>(wire_bytes);
  Pair pair{new MemoryLink(shard, there, back), new MemoryLink(shard, back, there)};
  pair.first->other_ = pair.second.get();
  pair.second->other_ = pair.first.get();
  return pair;
}

MemoryLink::~MemoryLink() {
  if (state() < State::kEndingBelow) {
    cut(true);
  }
  if (other_ != nullptr) {
    other_->other_ = nullptr;
  }
}

// --- what happens to either end -----------------------------------------------------------------

/// Counts and completes what has become true since the last look.
void MemoryLink::look() {
  if (shard_ == nullptr || state() >= State::kEndingBelow) {
    return;
  }
  if (out_->reader_gone && !broken_) {
    broken_ = os_status(ECONNRESET, "send");
    out_->discard_all();
  }
  count_held();
  const bool end_arrived = in_->end && in_->held() == 0;
  if (in_->any_piece() || in_->end) {
    complete_later(receiving_, 0);
  }
  if (out_->reader_gone || (end_arrived && !received_end_)) {
    complete_later(watching_, 0);
  }
  if (held() == 0) {
    complete_later(draining_, 0);
    complete_later(finishing_, 0);
  }
  if (!open()) {
    wake();
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

void MemoryLink::cancel_reading() {
  complete_later(receiving_, -ECANCELED);
  complete_later(watching_, -ECANCELED);
}

// --- sending ------------------------------------------------------------------------------------

std::size_t MemoryLink::held() const {
  return out_->held();
}

void MemoryLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(open() && (chunk.size > 0 || chunk.end_of_message));
  if (!broken_) {
    CULVERT_ASSERT(!out_->end);
    out_->put(chunk);
  }
}

void MemoryLink::start_finish(const Ending &ending) {
  out_->end = ending;
  sending_ = Sending::kEnded;
  both_look();
}

// --- what the ending asks -----------------------------------------------------------------------

void MemoryLink::prepare_end(End end) {
  if (end == End::kAbort && held() > 0) { // the abort takes a finish's place
    complete_later(finishing_, -ECANCELED);
    out_->end.reset();
  } else if (end == End::kClose && !out_->end) {
    out_->end = Ending::finished();
  }
  both_look();
}

void MemoryLink::arm_ending() {
  const bool ended = received_end_.has_value();
  discard_input();
  if (received_end_ && !ended) {
    wake();
  }
}

bool MemoryLink::awaits_peer() const {
  return end_asked() == End::kClose && !broken_ && !received_end_;
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
  facts.carries_ends = true;
  return facts;
}

// --- moving -------------------------------------------------------------------------------------

void MemoryLink::leave() {
  shard_->held.give(counted_);
  counted_ = 0;
  Link::leave();
}

void MemoryLink::arrive(Shard &shard) {
  Link::arrive(shard);
  look();
}

} // namespace culvert
