#include "tunnel/tunnel.hpp"

#include <array>
#include <cerrno>

namespace culvert {

std::string_view word(EndingRecord::How how) {
  static constexpr std::array<std::string_view, 3> kWords{"finished", "aborted", "dropped"};
  return kWords[static_cast<std::size_t>(how)];
}

Tunnel::Tunnel(Shard &shard, TunnelSide first, TunnelSide second, Delegate<Tunnel &> ended,
               TunnelTotals totals)
    : shard_(shard), first_{std::move(first), {}, {}, {}}, second_{std::move(second), {}, {}, {}},
      forth_(shard, *first_.end.link, *second_.end.link,
             Delegate<>::to<&Tunnel::on_pump_changed>(*this), {totals.from_first, totals.turns}),
      back_(shard, *second_.end.link, *first_.end.link,
            Delegate<>::to<&Tunnel::on_pump_changed>(*this), {totals.from_second, totals.turns}),
      ended_(ended) {
  for (Side *side : {&first_, &second_}) {
    side->ending.bind<&Tunnel::on_side_ended>(*this);
    side->dropping.bind<&Tunnel::on_side_ended>(*this);
    side->watching.bind<&Tunnel::on_watch>(*this);
  }
  idle_.bind<&Tunnel::on_idle>(*this);
}

Tunnel::~Tunnel() {
  CULVERT_ASSERT(phase_ == Phase::kStarting || phase_ == Phase::kEnded);
}

void Tunnel::start() {
  CULVERT_ASSERT(phase_ == Phase::kStarting);
  phase_ = Phase::kRunning;
  started_ns_ = shard_.io.now_ns();
  forth_.start();
  back_.start();
}

std::size_t Tunnel::held() const {
  return first_.end.link->held() + second_.end.link->held();
}

void Tunnel::note_first_end(const Pump &pump, const Side &from) {
  const Ending *end = pump.source().received_end();
  if (*record_.by == '\0' && end != nullptr) {
    record_.by = from.end.name;
    record_.code = end->code;
    record_.reason = end->reason;
  }
}

void Tunnel::check_direction(const Pump &pump, const Pump &back, const Side &from, const Side &to) {
  if (phase_ != Phase::kRunning) {
    return;
  }
  if (pump.state() == Pump::State::kAborted) {
    end_with_abort(from, pump.why_aborted());
  } else if (pump.state() == Pump::State::kBroken) {
    // Bytes that cannot be delivered any more are discarded. But the bytes that the broken side had
    // sent before still reach the other side: the tunnel ends when those are read, or cannot be
    // delivered either.
    if (broke_first_ == nullptr) {
      broke_first_ = &to;
    }
    if (back.source().received_end() != nullptr || back.state() == Pump::State::kBroken) {
      end_with_abort(*broke_first_, *broke_first_->end.link->broken());
    } else {
      watch_idle(); // the other side may read nothing before its own bytes are read
    }
  }
}

void Tunnel::on_pump_changed() {
  if (phase_ != Phase::kRunning) {
    return;
  }
  note_first_end(forth_, first_);
  note_first_end(back_, second_);
  check_direction(forth_, back_, first_, second_);
  check_direction(back_, forth_, second_, first_);
  if (phase_ != Phase::kRunning) {
    return;
  }
  const bool forth_done = forth_.state() == Pump::State::kDone;
  const bool back_done = back_.state() == Pump::State::kDone;
  if (forth_done && back_done) {
    phase_ = Phase::kClosing;
    idle_.disarm();
    first_.end.link->close(first_.ending);
    second_.end.link->close(second_.ending);
  } else if (forth_done || back_done) {
    watch_half_closed();
  }
}

void Tunnel::watch_half_closed() {
  // The tunnel does not read this side any more; without the watch it would not notice that it
  // died.
  Side &silent = forth_.state() == Pump::State::kDone ? first_ : second_;
  if (!silent.watching.in_flight()) {
    silent.end.link->watch(silent.watching);
  }
  watch_idle();
}

void Tunnel::watch_idle() {
  if (!idle_.armed()) {
    idle_mark_ = activity();
    shard_.io.arm_after_ms(idle_, broke_first_ != nullptr ? shard_.limits.abort_stall_ms
                                                          : shard_.limits.half_closed_idle_ms);
  }
}

void Tunnel::on_watch(Outcome outcome) {
  if (phase_ != Phase::kRunning || outcome.result < 0) {
    return;
  }
  const bool first_is_silent = forth_.state() == Pump::State::kDone;
  const Pump &towards = first_is_silent ? back_ : forth_;
  if (towards.state() == Pump::State::kFlowing) { // otherwise our own end caused the event
    end_with_abort(first_is_silent ? first_ : second_,
                   Status::failure(Code::kReset, Source::kLocal, Retry::kNever,
                                   "the connection broke behind its own end"));
  }
}

/// Does not change in a silent tunnel. It changes with each turn, and when held bytes are sent.
std::pair<std::uint64_t, std::size_t> Tunnel::activity() const {
  return {forth_.turns() + back_.turns(), held()};
}

void Tunnel::on_idle() {
  // A side that broke and has nothing to deliver is being read, which tells how it ended.
  if (activity() != idle_mark_ || (broke_first_ != nullptr && held() == 0)) {
    watch_idle();
  } else if (broke_first_ != nullptr) {
    end_with_abort(*broke_first_, *broke_first_->end.link->broken());
  } else {
    abort(Status::failure(Code::kTimeout, Source::kLocal, Retry::kNever,
                          "half-closed and silent for " +
                              std::to_string(shard_.limits.half_closed_idle_ms) +
                              " ms (half_closed_idle_ms)"));
  }
}

void Tunnel::end_with_abort(const Side &by, const Status &why) {
  record_.how = EndingRecord::How::kAborted;
  record_.by = by.end.name;
  record_.status = why;
  record_.status.source = by.end.source;
  begin_abort();
}

void Tunnel::abort(Status why) {
  if (phase_ != Phase::kRunning) {
    return;
  }
  record_.how = EndingRecord::How::kAborted;
  record_.by = kByHost;
  record_.status = std::move(why);
  begin_abort();
}

void Tunnel::begin_abort() {
  phase_ = Phase::kAborting;
  idle_.disarm();
  forth_.stop();
  back_.stop();
  first_.end.link->abort(first_.ending);
  second_.end.link->abort(second_.ending);
}

void Tunnel::drop(Status why) {
  if (phase_ == Phase::kDropping || phase_ == Phase::kEnded) {
    return;
  }
  const bool before_any_ending = phase_ == Phase::kStarting || phase_ == Phase::kRunning;
  if (before_any_ending) {
    record_.how = EndingRecord::How::kDropped;
    record_.by = kByHost;
    record_.status = std::move(why);
  }
  idle_.disarm();
  forth_.stop();
  back_.stop();
  for (Side *side : {&first_, &second_}) {
    if (before_any_ending || side->ending.in_flight()) {
      side->end.link->drop(side->dropping);
    }
  }
  phase_ = Phase::kDropping;
}

bool Tunnel::all_ended() const {
  for (const Side *side : {&first_, &second_}) {
    if (side->ending.in_flight() || side->dropping.in_flight()) {
      return false;
    }
  }
  return true;
}

void Tunnel::on_side_ended(Outcome outcome) {
  if (outcome.result == -ETIMEDOUT && record_.how != EndingRecord::How::kDropped) {
    static constexpr const char *kStalled = "its ending made no progress and was dropped";
    if (record_.how == EndingRecord::How::kAborted) { // the first reason is kept
      record_.status.message += std::string("; ") + kStalled;
    } else {
      record_.status = Status::failure(Code::kTimeout, Source::kLocal, Retry::kNever, kStalled);
    }
    record_.how = EndingRecord::How::kDropped;
  }
  if (!all_ended()) {
    return;
  }
  CULVERT_ASSERT(!forth_.in_flight() && !back_.in_flight());
  CULVERT_ASSERT(!first_.watching.in_flight() && !second_.watching.in_flight());
  phase_ = Phase::kEnded;
  record_.bytes_from_first = forth_.bytes();
  record_.bytes_from_second = back_.bytes();
  record_.duration_ms = started_ns_ == 0 ? 0 : (shard_.io.now_ns() - started_ns_) / 1'000'000U;
  ended_(*this); // it may destroy the tunnel
}

} // namespace culvert
