#include "role/control_channel.hpp"

#include "role/framing.hpp"

#include <utility>
#include <vector>

namespace culvert {

ControlChannel::ControlChannel(const ClientKit &kit, RoleCounters &counters, const Hears &hears)
    : kit_(kit), counters_(counters), hears_(hears),
      renewal_(kit, Delegate<const Token &>::to<&ControlChannel::on_token>(*this),
               Delegate<const Status &>::to<&ControlChannel::on_no_token>(*this),
               Delegate<>::to<&ControlChannel::check_ended>(*this)) {
  receive_.bind<&ControlChannel::on_receive>(*this);
  drain_.bind<&ControlChannel::on_drain>(*this);
  end_.bind<&ControlChannel::on_ended>(*this);
  drop_.bind<&ControlChannel::on_ended>(*this);
  finish_.bind<&ControlChannel::on_finished>(*this);
  unanswered_.bind<&ControlChannel::on_not_answered>(*this);
}

void ControlChannel::open(std::unique_ptr<Link> link, const FramingOptions &framing,
                          const EntityAddress &entity, const Token &token) {
  CULVERT_ASSERT(state_ == State::kNone);
  link_ = std::move(link);
  framing_ = framing;
  word_ = 0;
  message_ = {};
  answers_.clear();
  answers_bytes_ = 0;
  largest_message_ = framing.message_bound();
  counters_.token_expires_s.store(token.expires_s, std::memory_order_relaxed);
  enter(State::kOnline);
  renewal_.start(entity, token);
  link_->receive(receive_);
}

void ControlChannel::enter(State state) {
  if (state == State::kOnline) {
    counters_.channels_registered.fetch_add(1, std::memory_order_relaxed);
    counters_.channel_changed_s.store(kit_.shard.io.wall_s(), std::memory_order_relaxed);
    counters_.channels_online.fetch_add(1, std::memory_order_relaxed);
  } else if (state_ == State::kOnline) {
    renewal_.stop();
    counters_.token_expires_s.store(0, std::memory_order_relaxed);
    counters_.channel_changed_s.store(kit_.shard.io.wall_s(), std::memory_order_relaxed);
    counters_.channels_online.fetch_sub(1, std::memory_order_relaxed);
  }
  state_ = state;
}

// --- messages -----------------------------------------------------------------------------------

void ControlChannel::on_receive(Outcome outcome) {
  if (outcome.result < 0 || state_ == State::kEnding) {
    return;
  }
  take_turn();
  if (state_ == State::kEnding) {
    return;
  }
  if (const Ending *ending = link_->received_end()) {
    if (state_ == State::kLeaving) {
      end(!ending->aborted);
      return;
    }
    // A relay that said something malformed is there to be told so.
    const bool malformed = ending->aborted && ending->status.code == Code::kProtocol;
    Status why = ending->aborted ? ending->status : closed_by(*ending);
    if (ending->aborted) {
      why.source = Source::kRelay;
    }
    lost(why, !ending->aborted || malformed);
    return;
  }
  write_answers();
  link_->receive(receive_);
}

void ControlChannel::take_turn() {
  Chunk chunk;
  std::vector<Message> messages; // handled behind the turn: an offer starts operations of its own
  while (link_->take(chunk, {})) {
    if (message_.bytes.size() + chunk.size > largest_message_) {
      broken_ = Status::failure(Code::kTooLarge, Source::kRelay, Retry::kBackoff,
                                "a control message is larger than " +
                                    std::to_string(largest_message_) + " bytes");
      continue;
    }
    message_.bytes.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
    message_.kind = chunk.kind;
    if (chunk.end_of_message) {
      messages.push_back(std::move(message_));
      message_ = {};
    }
  }
  for (const Message &message : messages) {
    if (broken_.ok()) {
      heard(message);
    }
  }
  end_if_broken();
}

void ControlChannel::end_if_broken() {
  if (!broken_.ok() && state_ == State::kLeaving) {
    end(true);
  } else if (!broken_.ok()) {
    constexpr std::uint16_t kProtocolError = 1002; // RFC 6455, section 7.4.1
    constexpr std::uint16_t kMessageTooBig = 1009;
    const bool too_large = broken_.code == Code::kTooLarge;
    link_->finish(Ending::finished(too_large ? kMessageTooBig : kProtocolError), finish_);
    lost(std::exchange(broken_, {}), true);
  }
}

void ControlChannel::heard(const Message &message) {
  Result<ChannelResult> result = kit_.transport.on_message(word_, message);
  if (!result.ok()) {
    broken_ = result.status();
    return;
  }
  switch (result.value().action) {
  case ChannelResult::Action::kNothing:
    return;
  case ChannelResult::Action::kAnswer:
    answer(std::move(result.value().message));
    return;
  case ChannelResult::Action::kOffer:
    hears_.offered(result.value());
    return;
  }
}

void ControlChannel::answer(Message message) {
  if (!can_say(framing_, message.bytes.size())) {
    broken_ = Status::failure(Code::kInternal, Source::kPlugin, Retry::kBackoff,
                              "the relay protocol answers with a message that its own framing "
                              "does not have");
    return;
  }
  answers_bytes_ += message.bytes.size();
  if (answers_bytes_ > kit_.limits->channel_queue_bytes) {
    broken_ = Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                              "the relay asks for more answers than it reads");
    return;
  }
  answers_.push_back(std::move(message));
}

void ControlChannel::write_answers() {
  if (state_ == State::kLeaving || answers_.empty() || link_->held() > 0 || drain_.in_flight()) {
    return;
  }
  while (!answers_.empty() && link_->held() == 0 && !link_->broken()) {
    std::string bytes = std::move(answers_.front().bytes);
    const ChunkKind kind = answers_.front().kind;
    answers_.pop_front();
    answers_bytes_ -= bytes.size();
    link_->send({reinterpret_cast<std::byte *>(bytes.data()), bytes.size(), 0, kind, true});
    link_->flush();
  }
  if (link_->held() > 0) {
    link_->drain(drain_);
  }
}

void ControlChannel::on_drain(Outcome outcome) {
  if (outcome.result == 0 && state_ != State::kEnding) {
    write_answers();
  }
}

void ControlChannel::on_token(const Token &token) {
  Result<Message> message = kit_.transport.renew(word_, token.text);
  if (!message.ok()) {
    hears_.renewed(message.status());
    return;
  }
  answer(std::move(message.value()));
  end_if_broken();
  if (state_ == State::kOnline) {
    counters_.token_expires_s.store(token.expires_s, std::memory_order_relaxed);
    hears_.renewed({});
    write_answers();
  }
}

// --- the end ------------------------------------------------------------------------------------

Status ControlChannel::closed_by(const Ending &end) {
  Reply reply;
  reply.form = Reply::Form::kClose;
  reply.status = end.code;
  reply.reason = end.reason;
  ReplyResult result = kit_.transport.on_reply(Purpose::kListen, reply);
  if (result.verdict == ReplyResult::Verdict::kFail) {
    return result.status;
  }
  return Status::failure(Code::kGone, Source::kRelay, Retry::kNow,
                         "the relay closed the control channel");
}

void ControlChannel::lost(const Status &why, bool relay_is_there) {
  counters_.channels_lost.fetch_add(1, std::memory_order_relaxed);
  if (why.retry == Retry::kNewToken) {
    renewal_.refused();
  }
  hears_.lost(why);
  end(relay_is_there);
}

void ControlChannel::turn_away(std::unique_ptr<Link> link, bool politely) {
  CULVERT_ASSERT(state_ == State::kNone);
  link_ = std::move(link);
  end(politely);
}

void ControlChannel::leave() {
  // What the relay wrote before it reads our end is still to be served: nobody else would come.
  enter(State::kLeaving);
  link_->finish(Ending::finished(), finish_);
  kit_.shard.io.arm_after_ms(unanswered_, kit_.shard.limits.linger_ms);
}

void ControlChannel::end(bool politely) {
  // A relay that is gone would keep a polite end waiting, and with it the next connection.
  enter(State::kEnding);
  unanswered_.disarm();
  if (politely) {
    link_->close(end_);
  } else {
    link_->drop(drop_);
  }
}

void ControlChannel::drop() {
  if (state_ == State::kOnline || state_ == State::kLeaving) {
    end(false);
  } else if (end_.in_flight() && !drop_.in_flight()) {
    link_->drop(drop_);
  }
}

void ControlChannel::on_ended(Outcome) {
  check_ended();
}

void ControlChannel::check_ended() {
  if (state_ != State::kEnding || end_.in_flight() || drop_.in_flight() || renewal_.in_flight()) {
    return;
  }
  CULVERT_ASSERT(!finish_.in_flight());
  link_.reset();
  enter(State::kNone);
  hears_.ended();
}

} // namespace culvert
