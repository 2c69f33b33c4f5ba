#include "role/relay/bytes.hpp"
#include "role/relay/connection.hpp"
#include "role/relay/relay_shard.hpp"

namespace culvert {

namespace {

Status refusal_of(Code code, std::string message) {
  return Status::failure(code, Source::kRelay, Retry::kNever, std::move(message));
}

} // namespace

void Connection::act() {
  switch (intent_.verb) {
  case Verb::kListen:
  case Verb::kConnect:
    if (authorization_.entity() == nullptr) {
      refuse(refusal_of(Code::kNoEntity, "the relay has no such entity"));
    } else if (relay_.stopping()) {
      refuse(Status::failure(Code::kShuttingDown, Source::kRelay, Retry::kBackoff,
                             "the relay is stopping"));
    } else if (!relay_.parts()->policy->entities().has(*authorization_.entity())) {
      refuse(EntityTable::removed()); // while its token was judged
    } else {
      give_seat_back();
      entity_ = *authorization_.entity();
      intent_.verb == Verb::kListen ? act_listen() : act_connect();
    }
    return;
  case Verb::kAccept:
  case Verb::kReject:
    act_fetch();
    return;
  case Verb::kAnswer:
    act_answer();
    return;
  case Verb::kRenew:
  case Verb::kIgnore:
    break;
  }
  refuse(refusal_of(Code::kUnsupported, "its head asks for what the relay does not do"));
}

void Connection::act_answer() {
  const Answer &answer = intent_.answer;
  const bool refused = answer.form == Answer::Form::kHttp && answer.status >= 400;
  if (refused) {
    relay_.relay().counters().refused(Code::kRejected);
  }
  const bool message = answer.form == Answer::Form::kMessage;
  const FailureCount::Failure count =
      count_refusal(refused ? Code::kRejected : Code::kOk, Source::kRelay);
  relay_.log(count.level(refused ? LogLevel::kWarn : LogLevel::kInfo),
             refused ? "connection refused" : "connection answered",
             {{"peer", peer_},
              {"path", path_in_log()},
              {"id", loggable(intent_.loggable_id)},
              {"status", std::to_string(answer.status)},
              {"answer", loggable(message ? answer.message.bytes : answer.reason)},
              {"refusals_of_address", std::to_string(count.count)}});
  tell(answer);
}

// --- a listener ----------------------------------------------------------------------------------

void Connection::act_listen() {
  if (intent_.framing.framing == Framing::kRaw) {
    refuse(refusal_of(Code::kUnsupported, "a control channel needs messages"));
    return;
  }
  Result<std::string> said = opening(intent_.answer);
  if (!said.ok()) {
    refuse(said.status());
    return;
  }
  const Authority address = parts_->policy->public_address(intent_.authority, relay_.bound_port());
  ChannelSeed seed;
  seed.parts = parts_;
  seed.protocol = protocol_;
  seed.listener = {entity_, protocol_->id, intent_.listener_id, {}, address.host, address.port};
  seed.path = intent_.path;
  seed.token = std::move(listener_token_);
  seed.expires_s = token_expires_s_;
  seed.facts = intent_.facts;
  seed.loggable_id = intent_.loggable_id;
  seed.peer = peer_;
  seed.source = origin_.source;
  seed.opening = std::move(said.value());
  seed.framing = intent_.framing;
  seed.framing.awaits_pong = true;
  const Status added = relay_.add_channel(std::move(seed), link_);
  if (!added.ok()) {
    refuse(added);
    return;
  }
  phase_ = Phase::kJoined;
  relay_.on_connection_ended(handle_); // destroys this
}

// --- a sender ------------------------------------------------------------------------------------

void Connection::act_connect() {
  const Wish wish{entity_, protocol_->id, intent_.allowed, intent_.denied,
                  parts_->policy->entities().match(entity_).choice};
  const auto parked = relay_.rendezvous().park(*this, wish, origin_.source);
  if (!parked.ok()) {
    refuse(parked.status());
    return;
  }
  relay_.relay().counters().pending.fetch_add(1, std::memory_order_relaxed);
  phase_ = Phase::kParked;
  parked_ns_ = relay_.shard().io.now_ns();
  pending_ = parked.value();
  link_->watch(watch_);
}

Status Connection::offer(SlabHandle pending, const RegisteredListener &listener,
                         const std::string &capability) {
  Result<Message> message =
      protocol().offer(intent_.facts, capability, listener.public_host, listener.public_port);
  if (!message.ok()) {
    return message.status();
  }
  auto letter = std::make_unique<OfferLetter>();
  letter->channel = listener.channel;
  letter->message = std::move(message.value());
  letter->pending = pending;
  letter->from = relay_.shard().index;
  relay_.send(std::move(letter), listener.channel.shard);
  if (relay_.shard().log.enabled(LogLevel::kDebug)) {
    relay_.log(LogLevel::kDebug, "sender offered to a listener",
               {{"entity", entity_},
                {"id", loggable(intent_.loggable_id)},
                {"listener", loggable(listener.id)}});
  }
  return {};
}

void Connection::on_unmet(const Status &why) {
  CULVERT_ASSERT(phase_ == Phase::kParked);
  unpark();
  refuse(why);
}

void Connection::unpark() {
  relay_.relay().counters().pending.fetch_sub(1, std::memory_order_relaxed);
  phase_ = Phase::kMeeting;
}

void Connection::on_watch(Outcome outcome) {
  const bool left = outcome.result >= 0;
  if (phase_ == Phase::kParked) {
    relay_.rendezvous().revoke(pending_);
    unpark();
    const FailureCount::Failure count = count_refusal(Code::kOk, Source::kRelay);
    relay_.log(count.level(LogLevel::kInfo), "sender left before a listener came",
               {{"entity", entity_},
                {"id", loggable(intent_.loggable_id)},
                {"peer", peer_},
                {"refusals_of_address", std::to_string(count.count)}});
    end_broken();
  } else if (phase_ == Phase::kMeeting && left) {
    relay_.refuse(partner_, refusal_of(Code::kGone, "the sender has left"));
    end_broken();
  } else if (phase_ == Phase::kMeeting) {
    relay_.join(*this, partner_, met_); // destroys this
  }
}

// --- a listener's connection that fetches a sender, or refuses it --------------------------------

void Connection::act_fetch() {
  const auto where = read_capability(intent_.capability);
  const bool elsewhere = where && where->shard != relay_.shard().index &&
                         relay_.relay().shard(where->shard) != nullptr;
  elsewhere ? move_to(where->shard) : redeem();
}

void Connection::move_to(unsigned shard) {
  phase_ = Phase::kMoving;
  goes_to_ = shard;
  // Outside of the link's own callbacks, and with held bytes standing still.
  if (link_->held() > 0) {
    link_->drain(settle_);
    link_->cancel(settle_);
  } else {
    relay_.shard().io.yield(settle_);
  }
}

void Connection::on_settled(Outcome outcome) {
  if (phase_ != Phase::kMoving) { // dropped meanwhile
    on_ended(outcome);
    return;
  }
  link_->leave();
  auto letter = std::make_unique<MoveLetter>();
  letter->guest = {std::move(link_),    parts_->policy, protocol_->id, std::move(intent_),
                   std::move(request_), peer_,          origin_,       seat_};
  letter->connection = handle_;
  relay_.send(std::move(letter), goes_to_);
}

void Connection::on_moved(Guest guest, const Status &refusal) {
  if (!guest.link) {
    unlink();
    seat_ = Seat::kNone; // it went along
    phase_ = Phase::kJoined;
    relay_.on_connection_ended(handle_); // destroys this
    return;
  }
  link_ = std::move(guest.link);
  intent_ = std::move(guest.intent);
  request_ = std::move(guest.request);
  link_->arrive(relay_.shard());
  if (phase_ == Phase::kDropping) {
    link_->drop(dropping_);
  } else {
    refuse(refusal);
  }
}

void Connection::redeem() {
  const auto met = relay_.rendezvous().redeem(intent_.capability, protocol_->id);
  if (!met.ok()) {
    refuse(met.status());
    return;
  }
  give_seat_back();
  auto &sender = static_cast<Connection &>(*met.value().sender);
  sender.unpark();
  if (intent_.verb == Verb::kAccept) {
    relay_.log(LogLevel::kDebug, "listener fetches a sender",
               {{"entity", sender.entity_},
                {"id", loggable(sender.intent_.loggable_id)},
                {"peer", peer_}});
    phase_ = Phase::kMeeting;
    sender.partner_ = handle_;
    sender.met_ = met.value().channel;
    sender.link_->cancel(sender.watch_);
    return;
  }
  const FailureCount::Failure count = sender.count_refusal(Code::kRejected, Source::kTarget);
  relay_.log(count.level(LogLevel::kInfo), "listener refused a sender",
             {{"entity", sender.entity_},
              {"id", loggable(sender.intent_.loggable_id)},
              {"peer", sender.peer_},
              {"status", std::to_string(intent_.peer_answer.status)},
              {"why", loggable(intent_.peer_answer.reason)},
              {"refusals_of_address", std::to_string(count.count)}});
  relay_.relay().counters().refused(Code::kRejected);
  sender.tell(intent_.peer_answer);
  tell(intent_.answer);
}

} // namespace culvert
