#include "core/limits.hpp"
#include "role/framing.hpp"
#include "role/relay/bytes.hpp"
#include "role/relay/connection.hpp"
#include "role/relay/relay_shard.hpp"

#include <utility>

namespace culvert {

Result<std::string> Connection::opening(const Answer &answer) {
  return answer_bytes(answer, intent_.framing.framing == Framing::kWebSocket, request_,
                      relay_.digests(), relay_.shard().io.wall_s());
}

std::unique_ptr<Link> Connection::open(std::string opening) {
  phase_ = Phase::kJoined;
  write_bytes(*link_, std::move(opening));
  return framed(relay_.shard(), std::move(link_), intent_.framing, WebSocketRole::kServer);
}

void Connection::give_seat_back() {
  if (seat_ != Seat::kNone) {
    unlink();
    relay_.relay().leave_seat(origin_, std::exchange(seat_, Seat::kNone));
  }
}

bool Connection::can_make_room(Sources::Answer full, const Origin &newcomer) const {
  if (phase_ != Phase::kSetUp && phase_ != Phase::kEnding) {
    return false;
  }
  switch (full) {
  case Sources::Answer::kSourceFull:
    return origin_.source == newcomer.source;
  case Sources::Answer::kNetworkFull:
    return seat_ == Seat::kStranger && origin_.network == newcomer.network;
  case Sources::Answer::kFull:
    return seat_ == Seat::kStranger;
  case Sources::Answer::kTaken:
  case Sources::Answer::kRefusedTooOften:
    break;
  }
  return false;
}

void Connection::make_room() {
  relay_.log(LogLevel::kDebug, "connection makes room for a newer one", {{"peer", peer_}});
  if (phase_ == Phase::kSetUp) { // else it is refused, and counted, already
    count_spent();
  }
  give_seat_back();
  drop();
}

// --- answers -------------------------------------------------------------------------------------

void Connection::tell(const Answer &answer) {
  Result<std::string> said =
      answer_bytes(answer, false, request_, relay_.digests(), relay_.shard().io.wall_s());
  if (!said.ok()) {
    relay_.log(LogLevel::kError, "an answer of the relay protocol cannot be written",
               {{"peer", peer_}, {"why", loggable(said.status().message)}});
    Answer plain;
    plain.form =
        protocol().head_form() == HeadForm::kHttp ? Answer::Form::kHttp : Answer::Form::kNone;
    plain.status = 500;
    said = answer_bytes(plain, false, request_, relay_.digests(), relay_.shard().io.wall_s());
  }
  if (said.ok()) {
    write_bytes(*link_, std::move(said.value()));
  }
  end_lingering();
}

/// The entity that it belongs to, as configured, or the harmless part of what the peer said.
std::string Connection::path_in_log() const {
  const EntityTable::Match match = parts_->policy->entities().match(intent_.path);
  return match.entity != nullptr ? *match.entity : loggable_path(intent_.path);
}

/// It comes to nothing: that counts against its source, unless it has shown a token.
void Connection::count_spent() {
  if (seat_ != Seat::kNone) {
    relay_.relay().sources().spent(origin_.source, limits(), relay_.shard().io.now_ns());
  }
}

/// What is not the peer's fault is logged like its faults, but does not hold its source back: a
/// plugin that does not answer, and listeners that come for senders of a relay that was restarted.
FailureCount::Failure Connection::count_refusal(Code why, Source fault_of) {
  const bool of_a_relay_before = why == Code::kGone && relay_.is_young();
  if (fault_of != Source::kPlugin && !of_a_relay_before) {
    count_spent();
  }
  return relay_.relay().sources().refused(origin_.source, why, limits(),
                                          relay_.shard().io.now_ns());
}

void Connection::refuse(const Status &why) {
  // A sender that allows nobody but itself (its id, which the protocol may have made longer for the
  // log) asks only whether its token is good: that is no failure.
  const bool proof = meets_nobody(why.code) && intent_.allowed.size() == 1 &&
                     !intent_.allowed.front().empty() &&
                     intent_.loggable_id.starts_with(intent_.allowed.front());
  FailureCount::Failure refusal;
  if (!proof) {
    relay_.relay().counters().refused(why.code);
    refusal = count_refusal(why.code, why.source);
  }
  relay_.log(refusal.level(LogLevel::kWarn),
             proof ? "a sender has shown its token" : "connection refused",
             {{"peer", peer_},
              {"path", path_in_log()},
              {"id", loggable(intent_.loggable_id)},
              {"code", std::string(word(why.code))},
              {"why", loggable(why.said())},
              {"refusals_of_address", std::to_string(refusal.count)}});
  tell(relay_.or_nothing(protocol().outcome(Stage::kHead, intent_.facts, why)));
}

void Connection::fail_set_up(const Status &why) {
  const bool http = protocol().head_form() == HeadForm::kHttp;
  const bool late = why.code == Code::kTimeout && request_.method.empty();
  if (!http || (fault_ == HeadFault::kNone && !late)) {
    refuse(why);
    return;
  }
  relay_.relay().counters().refused(why.code);
  const FailureCount::Failure refused = count_refusal(why.code, why.source);
  relay_.log(refused.level(LogLevel::kWarn), "connection refused",
             {{"peer", peer_},
              {"code", std::string(word(why.code))},
              {"why", loggable(why.said())},
              {"refusals_of_address", std::to_string(refused.count)}});
  Answer answer;
  answer.form = Answer::Form::kHttp;
  if (fault_ == HeadFault::kNone) {
    answer.status = 408;
  } else {
    const HeadRefusal &words = refusal(fault_);
    answer.status = words.status;
    answer.reason = words.reason;
    answer.body = words.sentence;
    if (words.extra_name != nullptr) {
      answer.fields.push_back({words.extra_name, words.extra_value});
    }
  }
  tell(answer);
}

// --- endings -------------------------------------------------------------------------------------

/// Without a lingering close where there is no answer that the peer could lose: only a TLS alert is
/// worth a wait, as short as that behind an error Close.
void Connection::end_before_head(const Status &why) {
  relay_.log(LogLevel::kDebug, "connection ended before its head",
             {{"peer", peer_}, {"why", loggable(why.said())}});
  count_spent();
  if (why.code == Code::kTimeout) {
    phase_ = Phase::kDropping;
    link_->drop(dropping_);
    return;
  }
  relay_.shard().io.arm_after_ms(patience_, relay_.shard().limits.error_close_ms);
  end_lingering();
}

void Connection::end_lingering() {
  phase_ = Phase::kEnding;
  link_->discard_at_most(kRefusedPeerBytes);
  link_->close(ending_);
}

void Connection::end_broken() {
  phase_ = Phase::kEnding;
  link_->discard_at_most(kRefusedPeerBytes);
  link_->abort(ending_);
}

void Connection::drop() {
  const Phase before = phase_;
  if (before == Phase::kDropping) {
    return;
  }
  CULVERT_ASSERT(before != Phase::kJoined);
  if (before == Phase::kParked) {
    relay_.rendezvous().revoke(pending_);
    unpark();
  }
  phase_ = Phase::kDropping;
  if (before == Phase::kSetUp) {
    steps_.cancel(Status::failure(Code::kShuttingDown, Source::kRelay, Retry::kBackoff,
                                  "the relay has stopped"));
  } else if (link_) {
    link_->drop(dropping_);
  }
}

void Connection::on_ended(Outcome) {
  if (ending_.in_flight() || dropping_.in_flight() || settle_.in_flight()) {
    return;
  }
  CULVERT_ASSERT(!watch_.in_flight() && !steps_.running());
  patience_.disarm();
  relay_.on_connection_ended(handle_); // destroys this
}

} // namespace culvert
