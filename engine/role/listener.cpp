#include "role/listener.hpp"

#include "role/advice.hpp"
#include "role/framing.hpp"

#include <algorithm>

namespace culvert {

Listener::Listener(const ClientKit &kit, const ListenerOptions &options, std::string id,
                   RoleCounters &counters, Delegate<> stopped)
    : kit_(kit), options_(options), policy_(options.entity.host, options.rendezvous_hosts),
      id_(std::move(id)), counters_(counters), stopped_(stopped),
      outbound_(kit, Delegate<Outbound &>::to<&Listener::on_outbound>(*this)),
      tunnel_log_(kit.shard.log), tunnels_(kit.shard, counters.tunnels, {&tunnel_log_},
                                           Delegate<>::to<&Listener::check_stopped>(*this)) {
  retry_.bind<&Listener::connect>(*this);
  receive_.bind<&Listener::on_receive>(*this);
  drain_.bind<&Listener::on_drain>(*this);
  channel_end_.bind<&Listener::on_channel_ended>(*this);
  channel_drop_.bind<&Listener::on_channel_ended>(*this);
  channel_finish_.bind<&Listener::on_channel_finished>(*this);
  unanswered_.bind<&Listener::on_not_answered>(*this);
  grace_.bind<&Listener::drop>(*this);
}

Listener::Serving::Serving(Listener &listener, std::string bytes, std::string loggable_id)
    : owner(listener),
      fetch(listener.kit_, listener.options_.target, listener.policy_, std::move(bytes),
            std::move(loggable_id), Delegate<Fetch &>::to<&Serving::on_done>(*this)) {}

void Listener::Serving::on_done(Fetch &) {
  owner.fetch_done(*this);
}

// --- the control channel
// --------------------------------------------------------------------------

void Listener::start() {
  counters_.parts_running.fetch_add(1, std::memory_order_relaxed);
  connect_later();
}

void Listener::use(const ClientKit &kit, const ListenerOptions &options) {
  kit_.become(kit);
  options_ = options;
  policy_ = RendezvousPolicy(options.entity.host, options.rendezvous_hosts);
  if (!outbound_.running()) {
    outbound_.use(kit_); // a channel that stands needs nothing of the old one
  }
}

void Listener::connect() {
  outbound_.use(kit_);
  outbound_.start(Purpose::kListen, options_.entity, id_);
}

std::uint64_t Listener::connect_later() {
  const std::uint64_t delay_ms =
      reconnect_.next_delay_ms(kit_.shard.io.now_ns(), kit_.shard.random, *kit_.limits);
  kit_.shard.io.arm_after_ms(retry_, delay_ms);
  return delay_ms;
}

void Listener::on_outbound(Outbound &outbound) {
  if (phase_ != Phase::kRunning) {
    channel_ = outbound.take_link();
    if (channel_ != nullptr) {
      end_channel(phase_ == Phase::kDraining);
    } else {
      check_stopped();
    }
    return;
  }
  const Status &status = outbound.status();
  if (status.ok()) {
    channel_ = outbound.take_link();
    online();
    return;
  }
  counters_.failed(status.message);
  const bool other_token = status.retry == Retry::kNewToken && outbound.has_other_token();
  if (other_token && !redialled_) {
    redialled_ = true;
    log(LogLevel::kInfo, "the relay refused this key; trying the other one", status);
    connect();
    return;
  }
  redialled_ = false;
  if (status.source == Source::kRelay &&
      (status.retry == Retry::kNewToken || status.retry == Retry::kNever)) {
    reconnect_.refused();
  }
  const std::string when = in_seconds(connect_later());
  log(LogLevel::kWarn, "cannot register at the relay; trying again " + when, status);
}

void Listener::online() {
  redialled_ = false;
  reconnect_.succeeded(kit_.shard.io.now_ns());
  channel_word_ = 0;
  message_ = {};
  answers_.clear();
  answers_bytes_ = 0;
  largest_message_ = outbound_.framing().message_bound();
  enter(ChannelState::kOnline);
  kit_.shard.log.write(LogLevel::kInfo, "registered at the relay",
                       {{"entity", options_.entity.path},
                        {"relay", options_.entity.host},
                        {"listener", id_},
                        {"target", options_.target.text()}});
  channel_->receive(receive_);
}

void Listener::enter(ChannelState state) {
  if (state == ChannelState::kOnline) {
    counters_.channels_online.fetch_add(1, std::memory_order_relaxed);
  } else if (channel_state_ == ChannelState::kOnline) {
    counters_.channels_online.fetch_sub(1, std::memory_order_relaxed);
  }
  channel_state_ = state;
}

void Listener::on_receive(Outcome outcome) {
  if (outcome.result < 0 || channel_state_ == ChannelState::kEnding) {
    return;
  }
  take_turn();
  if (channel_state_ == ChannelState::kEnding) {
    return;
  }
  if (const Ending *end = channel_->received_end()) {
    if (channel_state_ == ChannelState::kLeaving) {
      end_channel(!end->aborted);
      return;
    }
    // A relay that said something malformed is there to be told so.
    const bool malformed = end->aborted && end->status.code == Code::kProtocol;
    Status why = end->aborted ? end->status : closed_by(*end);
    if (end->aborted) {
      why.source = Source::kRelay;
    }
    lost(why, !end->aborted || malformed);
    return;
  }
  write_answers();
  channel_->receive(receive_);
}

void Listener::take_turn() {
  Chunk chunk;
  std::vector<Message> messages; // handled behind the turn: an offer starts operations of its own
  while (channel_->take(chunk, {})) {
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
  if (!broken_.ok() && channel_state_ == ChannelState::kLeaving) {
    end_channel(true);
  } else if (!broken_.ok()) {
    constexpr std::uint16_t kProtocolError = 1002; // RFC 6455, section 7.4.1
    constexpr std::uint16_t kMessageTooBig = 1009;
    const bool too_large = broken_.code == Code::kTooLarge;
    channel_->finish(Ending::finished(too_large ? kMessageTooBig : kProtocolError),
                     channel_finish_);
    lost(std::exchange(broken_, {}), true);
  }
}

void Listener::heard(const Message &message) {
  Result<ChannelResult> result = kit_.transport.on_message(channel_word_, message);
  if (!result.ok()) {
    broken_ = result.status();
    return;
  }
  switch (result.value().action) {
  case ChannelResult::Action::kNothing:
    return;
  case ChannelResult::Action::kAnswer:
    if (!can_say(outbound_.framing(), result.value().message.bytes.size())) {
      broken_ = Status::failure(Code::kInternal, Source::kPlugin, Retry::kBackoff,
                                "the relay protocol answers with a message that its own framing "
                                "does not have");
      return;
    }
    answers_bytes_ += result.value().message.bytes.size();
    if (answers_bytes_ > kit_.limits->channel_queue_bytes) {
      broken_ = Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                                "the relay asks for more answers than it reads");
      return;
    }
    answers_.push_back(std::move(result.value().message));
    return;
  case ChannelResult::Action::kOffer:
    serve(std::move(result.value().message.bytes), std::move(result.value().loggable_id));
    return;
  }
}

Status Listener::closed_by(const Ending &end) {
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

void Listener::write_answers() {
  if (channel_state_ == ChannelState::kLeaving || answers_.empty() || channel_->held() > 0 ||
      drain_.in_flight()) {
    return;
  }
  while (!answers_.empty() && channel_->held() == 0 && !channel_->broken()) {
    std::string bytes = std::move(answers_.front().bytes);
    const ChunkKind kind = answers_.front().kind;
    answers_.pop_front();
    answers_bytes_ -= bytes.size();
    channel_->send({reinterpret_cast<std::byte *>(bytes.data()), bytes.size(), 0, kind, true});
    channel_->flush();
  }
  if (channel_->held() > 0) {
    channel_->drain(drain_);
  }
}

void Listener::on_drain(Outcome outcome) {
  if (outcome.result == 0 && channel_state_ != ChannelState::kEnding) {
    write_answers();
  }
}

void Listener::lost(const Status &why, bool relay_is_there) {
  counters_.channels_lost.fetch_add(1, std::memory_order_relaxed);
  counters_.failed(why.message);
  log(LogLevel::kWarn, "lost the relay; seeking it again", why);
  end_channel(relay_is_there);
}

void Listener::leave_channel() {
  // What the relay wrote before it reads our end is still to be served: nobody else would come.
  enter(ChannelState::kLeaving);
  channel_->finish(Ending::finished(), channel_finish_);
  kit_.shard.io.arm_after_ms(unanswered_, kit_.shard.limits.linger_ms);
}

void Listener::end_channel(bool politely) {
  // A relay that is gone would keep a polite end waiting, and with it the next connection.
  enter(ChannelState::kEnding);
  unanswered_.disarm();
  if (politely) {
    channel_->close(channel_end_);
  } else {
    channel_->drop(channel_drop_);
  }
}

void Listener::on_channel_finished(Outcome) {} // close() behind it waits for the rest

void Listener::on_channel_ended(Outcome) {
  if (channel_end_.in_flight() || channel_drop_.in_flight()) {
    return;
  }
  CULVERT_ASSERT(!channel_finish_.in_flight());
  channel_.reset();
  enter(ChannelState::kNone);
  if (phase_ == Phase::kRunning) {
    connect_later();
  } else {
    check_stopped();
  }
}

// --- offers
// ---------------------------------------------------------------------------------------

void Listener::serve(std::string offer, std::string loggable_id) {
  // Later the channel is ending, and not read.
  CULVERT_ASSERT(phase_ == Phase::kRunning || phase_ == Phase::kDraining);
  const std::uint64_t served = kit_.limits->offers_per_shard;
  const bool room = fetches_.size() <
                    std::min<std::uint64_t>(served, tunnels_.room(kit_.limits->tunnels_per_shard));
  const auto handle = fetches_.size() < served + kit_.limits->refusals_per_shard
                          ? fetches_.make(*this, std::move(offer), std::move(loggable_id))
                          : std::nullopt;
  if (!handle) {
    kit_.shard.log.write(LogLevel::kWarn, "too many offers at once; one is not even refused",
                         {{"entity", options_.entity.path},
                          {"tunnels", std::to_string(tunnels_.size())},
                          {"offers", std::to_string(fetches_.size())}});
    return;
  }
  Serving &serving = *fetches_.find(*handle);
  serving.handle = *handle;
  if (room) {
    serving.fetch.start();
  } else {
    serving.fetch.reject(Status::failure(Code::kOverload, Source::kLocal, Retry::kBackoff,
                                         "the listener has too many offers at once, or tunnels"));
  }
}

void Listener::fetch_done(Serving &serving) {
  Fetch &fetch = serving.fetch;
  const Status &status = fetch.status();
  if (status.ok()) {
    TunnelFacts facts;
    facts.entity = options_.entity.path;
    facts.id = fetch.loggable_id();
    tunnels_.join({fetch.take_relay_link(), "relay", Source::kRelay},
                  {fetch.take_target_link(), "target", Source::kTarget}, std::move(facts));
  } else {
    counters_.failed(status.message);
    kit_.shard.log.write(LogLevel::kWarn,
                         status.source == Source::kTarget
                             ? "cannot connect to the target for a sender"
                             : "an offer came to nothing",
                         {{"entity", options_.entity.path},
                          {"id", fetch.loggable_id()},
                          {"source", std::string(word(status.source))},
                          {"why", status.said()}});
  }
  fetches_.erase(serving.handle);
  check_stopped();
}

// --- the end
// --------------------------------------------------------------------------------------

void Listener::drain() {
  if (phase_ != Phase::kRunning) {
    return;
  }
  phase_ = Phase::kDraining;
  retry_.disarm();
  outbound_.cancel(Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "draining"));
  if (channel_state_ == ChannelState::kOnline) {
    leave_channel();
  }
  kit_.shard.io.arm_after_ms(grace_, options_.drain_grace_ms);
  check_stopped();
}

void Listener::drop() {
  if (phase_ == Phase::kStopped || phase_ == Phase::kDropping) {
    return;
  }
  phase_ = Phase::kDropping;
  retry_.disarm();
  grace_.disarm();
  const Status why =
      Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "dropped at shutdown");
  outbound_.cancel(why);
  if (channel_state_ == ChannelState::kOnline || channel_state_ == ChannelState::kLeaving) {
    end_channel(false);
  } else if (channel_end_.in_flight() && !channel_drop_.in_flight()) {
    channel_->drop(channel_drop_);
  }
  fetches_.for_each([&why](SlabHandle, Serving &serving) { serving.fetch.cancel(why); });
  tunnels_.drop_all(why);
  check_stopped();
}

void Listener::check_stopped() {
  if (phase_ == Phase::kRunning || phase_ == Phase::kStopped || channel_ != nullptr ||
      outbound_.running() || fetches_.size() > 0 || !tunnels_.empty()) {
    return;
  }
  phase_ = Phase::kStopped;
  grace_.disarm();
  counters_.parts_running.fetch_sub(1, std::memory_order_relaxed);
  if (stopped_) {
    stopped_();
  }
}

void Listener::log(LogLevel level, std::string_view message, const Status &why) {
  kit_.shard.log.write(level, message,
                       {{"entity", options_.entity.path},
                        {"relay", options_.entity.host},
                        {"source", std::string(word(why.source))},
                        {"why", why.message}});
}

} // namespace culvert
