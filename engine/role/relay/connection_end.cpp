#include "role/framing.hpp"
#include "role/relay/bytes.hpp"
#include "role/relay/connection.hpp"
#include "role/relay/relay_shard.hpp"

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
  if (has_seat_) {
    has_seat_ = false;
    relay_.relay().leave_seat(source_);
  }
}

// --- answers
// --------------------------------------------------------------------------------------

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

void Connection::refuse(const Status &why) {
  // A sender that names who may serve it may have asked for nobody, to prove its token.
  const bool proof = why.code == Code::kNoListener && !intent_.allowed.empty();
  relay_.relay().counters().setups_failed.fetch_add(1, std::memory_order_relaxed);
  relay_.log(proof ? LogLevel::kDebug : LogLevel::kWarn,
             proof ? "no listener that the sender allows is connected" : "connection refused",
             {{"peer", peer_},
              {"path", loggable(intent_.path)},
              {"id", loggable(intent_.loggable_id)},
              {"code", std::string(word(why.code))},
              {"why", loggable(why.said())}});
  tell(protocol().outcome(Stage::kHead, intent_.facts, why));
}

void Connection::fail_set_up(const Status &why) {
  const bool http = protocol().head_form() == HeadForm::kHttp;
  const bool late = why.code == Code::kTimeout && request_.method.empty();
  if (!http || (fault_ == HeadFault::kNone && !late)) {
    refuse(why);
    return;
  }
  relay_.relay().counters().setups_failed.fetch_add(1, std::memory_order_relaxed);
  relay_.log(
      LogLevel::kWarn, "connection refused",
      {{"peer", peer_}, {"code", std::string(word(why.code))}, {"why", loggable(why.said())}});
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

// --- endings
// --------------------------------------------------------------------------------------

void Connection::end_lingering() {
  phase_ = Phase::kEnding;
  link_->close(ending_);
}

void Connection::end_broken() {
  phase_ = Phase::kEnding;
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
  relay_.on_connection_ended(handle_); // this is gone behind it
}

} // namespace culvert
