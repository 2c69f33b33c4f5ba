#include "tunnel/pump.hpp"

#include <algorithm>
#include <string>

namespace culvert {

Pump::Pump(Shard &shard, Link &source, Link &sink, Delegate<> changed, PumpTotals totals)
    : shard_(shard), source_(source), sink_(sink), changed_(changed), totals_(totals) {
  const LinkFacts facts = sink.facts();
  how_.chunk_bytes = facts.largest_first_frame;
  how_.keep = facts.gathers;
  carries_ends_ = facts.carries_ends;
  receive_.bind<&Pump::on_receive>(*this);
  drain_.bind<&Pump::on_drain>(*this);
  finish_.bind<&Pump::on_finish>(*this);
}

bool Pump::in_flight() const {
  return receive_.in_flight() || drain_.in_flight() || finish_.in_flight();
}

void Pump::start() {
  CULVERT_ASSERT(state_ == State::kIdle);
  state_ = State::kFlowing;
  arm();
}

void Pump::become(State state) {
  state_ = state;
  changed_(); // it may destroy the tunnel
}

void Pump::arm() {
  if (sink_.held() > 0) {
    sink_.drain(drain_);
  } else if (source_.received_end() != nullptr) {
    shard_.io.yield(receive_); // it ended before the tunnel began
  } else {
    source_.receive(receive_);
  }
}

void Pump::on_receive(Outcome) {
  if (state_ != State::kFlowing) {
    return;
  }
  // While the source was armed, the sink may have begun to hold a frame of its own (a pong). Then
  // this turn is declined and comes again.
  if (sink_.broken()) {
    become(State::kBroken);
  } else if (sink_.held() > 0) {
    arm();
  } else {
    turn();
  }
}

void Pump::turn() {
  how_.turn_bytes = std::clamp(shard_.held.available(), kMinTurnBytes, kTurnBytes);
  Chunk chunk;
  bool any = false;
  const std::uint64_t before = bytes_;
  while (source_.received_end() == nullptr && source_.take(chunk, how_)) {
    bytes_ += chunk.size;
    inside_message_ = !chunk.end_of_message;
    sink_.send(chunk);
    any = true;
  }
  if (any) {
    sink_.flush();
    ++turns_;
    if (totals_.bytes != nullptr) {
      totals_.bytes->add(bytes_ - before);
    }
    if (totals_.turns != nullptr) {
      totals_.turns->add(1);
    }
  }
  const Ending *end = source_.received_end();
  if (end != nullptr && (end->aborted || hides_a_failure(*end))) {
    become(State::kAborted);
  } else if (sink_.broken()) {
    become(State::kBroken);
  } else if (end != nullptr) {
    sink_.finish(*end, finish_);
    become(State::kFinishing);
  } else {
    arm();
  }
}

bool Pump::hides_a_failure(const Ending &end) const {
  return !carries_ends_ && (inside_message_ || end.means_failure());
}

Status Pump::why_aborted() const {
  const Ending &end = *source_.received_end();
  if (end.aborted) {
    return end.status;
  }
  return Status::failure(Code::kTruncated, Source::kLocal, Retry::kNever,
                         end.means_failure()
                             ? "the stream was closed with the failure " + std::to_string(end.code)
                             : "the stream was closed inside a message");
}

void Pump::on_drain(Outcome) {
  if (state_ != State::kFlowing) {
    return;
  }
  if (sink_.broken()) {
    become(State::kBroken);
  } else {
    arm();
  }
}

void Pump::on_finish(Outcome) {
  if (state_ == State::kFinishing) {
    become(sink_.broken() ? State::kBroken : State::kDone);
  }
}

} // namespace culvert
