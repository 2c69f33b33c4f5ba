#include "role/relay/channel.hpp"

#include "role/framing.hpp"
#include "role/relay/bytes.hpp"
#include "role/relay/relay_shard.hpp"

#include <algorithm>

namespace culvert {
namespace {

std::string goodbye(const Ending &end) {
  constexpr std::uint16_t kNormal = 1000;
  std::string words = "it closed its channel";
  if (end.code != 0 && end.code != kNormal) {
    words += " with " + std::to_string(end.code);
  }
  return end.reason.empty() ? words : words + ": " + end.reason;
}

} // namespace

Channel::Channel(RelayShard &relay, ChannelSeed seed)
    : relay_(relay), parts_(std::move(seed.parts)), protocol_(*seed.protocol->instance),
      listener_(std::move(seed.listener)), facts_(std::move(seed.facts)),
      loggable_id_(std::move(seed.loggable_id)), peer_(std::move(seed.peer)),
      source_(std::move(seed.source)),
      largest_message_(std::min<std::uint64_t>(seed.framing.message_bound(),
                                               parts_->policy->limits().control_message_bytes)),
      opening_(std::move(seed.opening)), framing_(std::move(seed.framing)),
      offered_from_(relay.relay().shards()),
      token_(relay, listener_.entity, std::move(seed.path), std::move(seed.token), seed.expires_s,
             Delegate<const Status &>::to<&Channel::on_judged>(*this),
             Delegate<const Status &>::to<&Channel::on_token_over>(*this)) {
  receive_.bind<&Channel::on_receive>(*this);
  drain_.bind<&Channel::on_drain>(*this);
  finish_.bind<&Channel::on_finish>(*this);
  ending_.bind<&Channel::on_ended>(*this);
  dropping_.bind<&Channel::on_ended>(*this);
}

Status Channel::enroll(SlabHandle handle) {
  handle_ = handle;
  listener_.channel = {relay_.shard().index, handle};
  return relay_.enroll(listener_);
}

void Channel::start(std::unique_ptr<Link> link) {
  link_ = std::move(link);
  relay_.relay().sources().came(source_);
  relay_.log(LogLevel::kInfo, "listener online",
             {{"entity", listener_.entity}, {"id", loggable(loggable_id_)}, {"peer", peer_}});
  write_bytes(*link_, std::move(opening_));
  link_ = framed(relay_.shard(), std::move(link_), framing_, WebSocketRole::kServer);
  link_->receive(receive_);
  token_.start();
  if (parts_ != relay_.parts()) { // it was judged by rules that have changed meanwhile
    judge_again();
  }
}

// --- in ------------------------------------------------------------------------------------------

void Channel::on_receive(Outcome) {
  if (phase_ != Phase::kOpen) {
    return;
  }
  take_turn();
  if (phase_ != Phase::kOpen) {
    return;
  }
  const Ending *const end = link_->received_end();
  if (end == nullptr) {
    link_->receive(receive_);
  } else if (end->aborted) {
    const bool malformed = end->status.code == Code::kProtocol;
    lost(ChannelEnd::kLost, malformed ? LogLevel::kWarn : LogLevel::kInfo, end->status.message);
    link_->abort(ending_);
  } else {
    lost(ChannelEnd::kGoodbye, LogLevel::kInfo, goodbye(*end));
    link_->close(ending_);
  }
}

void Channel::take_turn() {
  Chunk chunk;
  while (link_->take(chunk, {})) {
    if (phase_ != Phase::kOpen) {
      continue; // what follows a channel's end is nobody's
    }
    message_.bytes.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
    message_.kind = chunk.kind;
    if (message_.bytes.size() > largest_message_) {
      malformed(Status::failure(Code::kTooLarge, Source::kRelay, Retry::kNever,
                                "a message on its channel is larger than " +
                                    std::to_string(largest_message_) + " bytes"));
    } else if (chunk.end_of_message) {
      const Message whole = std::move(message_);
      message_ = {};
      on_message(whole);
    }
  }
}

void Channel::on_message(const Message &message) {
  Result<Intent> read = protocol_.on_message(word_, facts_, message);
  if (!read.ok()) {
    malformed(read.status());
    return;
  }
  Intent &intent = read.value();
  if (intent.verb == Verb::kAnswer) {
    answer(std::move(intent.answer));
  } else if (intent.verb == Verb::kRenew) {
    token_.renew(std::move(intent.token));
  } else if (intent.verb != Verb::kIgnore) {
    malformed(Status::failure(Code::kUnsupported, Source::kRelay, Retry::kNever,
                              "a message asks for what a channel cannot do"));
  }
}

void Channel::answer(Answer answer) {
  const std::size_t size = answer.message.bytes.size();
  if (answer.form == Answer::Form::kClose) {
    const std::string reason = answer.reason.empty() ? "it was told to close" : answer.reason;
    close_with(std::move(answer), LogLevel::kInfo, reason);
  } else if (answer.form == Answer::Form::kMessage && (size == 0 || !can_say(framing_, size))) {
    malformed(Status::failure(Code::kInternal, Source::kPlugin, Retry::kBackoff,
                              "its protocol answers with " + std::to_string(size) +
                                  " bytes; a message has 1 to " +
                                  std::to_string(largest_message_)));
  } else if (answer.form == Answer::Form::kMessage && !enqueue(std::move(answer.message))) {
    malformed(Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                              "it asks for more answers than it reads"));
  }
}

void Channel::on_judged(const Status &status) {
  if (phase_ != Phase::kOpen) {
    check_gone();
    return;
  }
  const FailureCount::Failure renewal = renewals_.add(
      status.code, FailureCount::bounds_of(parts_->policy->limits()), relay_.shard().io.now_ns());
  relay_.log(renewal.level(status.ok() ? LogLevel::kInfo : LogLevel::kWarn),
             status.ok() ? "listener renewed its token"
             : ChannelToken::refuses(status)
                 ? "a listener's token is refused since the reload: its channel will be closed "
                   "unless a good token comes"
                 : "a listener's token was not judged",
             {{"entity", listener_.entity},
              {"id", loggable(loggable_id_)},
              {"peer", peer_},
              {"why", loggable(status.message)},
              {"renewals_of_channel", std::to_string(renewal.count)}});
}

void Channel::malformed(const Status &why) {
  close_with(why, LogLevel::kWarn);
}

// --- out -----------------------------------------------------------------------------------------

bool Channel::offer(Message message, unsigned from) {
  if (phase_ != Phase::kOpen || !enqueue(std::move(message))) {
    return false;
  }
  offered_from_[from] = true;
  return true;
}

bool Channel::enqueue(Message message) {
  const std::size_t size = message.bytes.size();
  const std::size_t cost = size + kHeadroom; // a tiny message's frame is larger than itself
  if (size == 0 || !can_say(framing_, size) ||
      queued_bytes_ + cost > parts_->policy->limits().channel_queue_bytes || link_->broken()) {
    return false;
  }
  queued_bytes_ += cost;
  queue_.push_back(std::move(message));
  write();
  return true;
}

void Channel::write() {
  if (queue_.empty() || drain_.in_flight()) {
    return;
  }
  if (link_->held() > 0) {
    link_->drain(drain_);
    return;
  }
  for (Message &message : queue_) {
    send_message(*link_, message);
  }
  link_->flush();
  queue_.clear();
  queued_bytes_ = 0;
}

void Channel::on_drain(Outcome) {
  if (phase_ == Phase::kOpen && !link_->broken()) {
    write();
  }
}

// --- the end -------------------------------------------------------------------------------------

void Channel::close(const Status &why) {
  if (phase_ == Phase::kOpen) {
    close_with(why, LogLevel::kInfo);
  }
}

void Channel::close_with(const Status &why, LogLevel level) {
  close_with(relay_.or_nothing(protocol_.outcome(Stage::kChannel, facts_, why)), level,
             why.message);
}

void Channel::close_with(Answer answer, LogLevel level, std::string_view reason) {
  if (answer.form == Answer::Form::kMessage && link_->held() == 0 &&
      can_say(framing_, answer.message.bytes.size())) {
    send_message(*link_, answer.message);
    link_->flush();
  }
  lost(ChannelEnd::kLost, level, reason);
  if (answer.form == Answer::Form::kClose) {
    link_->finish(Ending::finished(answer.status, answer.reason), finish_);
  }
  link_->close(ending_);
}

void Channel::leave() {
  relay_.relay().registry().remove(listener_.entity, listener_.channel);
}

void Channel::lost(ChannelEnd end, LogLevel level, std::string_view reason) {
  CULVERT_ASSERT(phase_ == Phase::kOpen);
  phase_ = Phase::kEnding;
  token_.stop();
  protocol_.on_gone(word_);
  relay_.log(level, "listener offline",
             {{"entity", listener_.entity},
              {"id", loggable(loggable_id_)},
              {"peer", peer_},
              {"why", loggable(reason)}});
  relay_.relay().sources().went(source_);
  relay_.on_listener_lost(listener_, end, offered_from_);
}

void Channel::drop() {
  if (phase_ == Phase::kDropping) {
    return;
  }
  if (phase_ == Phase::kOpen) {
    lost(ChannelEnd::kLost, LogLevel::kInfo, "the relay stops");
  }
  phase_ = Phase::kDropping;
  link_->drop(dropping_);
}

void Channel::on_ended(Outcome) {
  check_gone();
}

void Channel::check_gone() {
  if (!ending_.in_flight() && !dropping_.in_flight() && !token_.in_flight()) {
    CULVERT_ASSERT(!receive_.in_flight() && !drain_.in_flight() && !finish_.in_flight());
    relay_.on_channel_ended(handle_); // this is gone behind it
  }
}

} // namespace culvert
