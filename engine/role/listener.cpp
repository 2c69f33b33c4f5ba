#include "role/listener.hpp"

#include "role/advice.hpp"

#include <algorithm>

namespace culvert {

Listener::Listener(const ClientKit &kit, const ListenerOptions &options, std::string id,
                   RoleCounters &counters, Delegate<> stopped)
    : kit_(kit), options_(options), policy_(options.entity.host, options.rendezvous_hosts),
      id_(std::move(id)), counters_(counters), stopped_(stopped),
      outbound_(kit, Delegate<Outbound &>::to<&Listener::on_outbound>(*this)),
      channel_(kit_, counters,
               {Delegate<ChannelResult &>::to<&Listener::on_offer>(*this),
                Delegate<const Status &>::to<&Listener::on_renewed>(*this),
                Delegate<const Status &>::to<&Listener::on_lost>(*this),
                Delegate<>::to<&Listener::on_channel_ended>(*this)}),
      tunnel_log_(kit.log()), tunnels_(kit.shard, counters.tunnels, {&tunnel_log_},
                                       Delegate<>::to<&Listener::check_stopped>(*this)) {
  retry_.bind<&Listener::connect>(*this);
  grace_.bind<&Listener::drop>(*this);
}

Listener::Serving::Serving(Listener &listener, ChannelResult offer)
    : owner(listener), offered_ns(listener.kit_.shard.io.now_ns()),
      fetch(listener.kit_, listener.options_.target, listener.policy_, std::move(offer),
            Delegate<Fetch &>::to<&Serving::on_done>(*this)) {}

void Listener::Serving::on_done(Fetch &) {
  owner.fetch_done(*this);
}

// --- the relay
// --------------------------------------------------------------------------

void Listener::lead(const std::vector<Follower> &others) {
  followers_ = others;
}

void Listener::follow() {
  place_ = Place::kFollower;
}

void Listener::start() {
  counters_.parts_running.fetch_add(1, std::memory_order_relaxed);
  if (place_ == Place::kLeader) {
    connect_later();
  }
}

void Listener::use(const ClientKit &kit, const ListenerOptions &options) {
  if (&kit.auth != &kit_.auth) {
    channel_.use_other_auth();
  }
  kit_.become(kit);
  options_ = options;
  channel_failures_ = {}; // what still fails is told again
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
    if (std::unique_ptr<Link> link = outbound.take_link()) {
      channel_.turn_away(std::move(link), phase_ == Phase::kDraining);
    } else {
      check_stopped();
    }
    return;
  }
  const Status &status = outbound.status();
  if (status.ok()) {
    online();
    return;
  }
  counters_.failed(status);
  const bool other_token = status.retry == Retry::kNewToken && outbound.has_other_token();
  if (other_token && !redialled_) {
    redialled_ = true;
    log(channel_failures_.none() ? LogLevel::kInfo : LogLevel::kDebug,
        "the relay refused this key; trying the other one", status);
    connect();
    return;
  }
  redialled_ = false;
  if (status.source == Source::kRelay &&
      (status.retry == Retry::kNewToken || status.retry == Retry::kNever)) {
    reconnect_.refused();
  }
  const FailureCount::Failure failure = channel_failures_.add(status.code);
  const std::string when = in_seconds(connect_later());
  log(failure.level(LogLevel::kWarn), "cannot register at the relay; trying again " + when, status);
}

void Listener::online() {
  redialled_ = false;
  reconnect_.succeeded(kit_.shard.io.now_ns());
  channel_.open(outbound_.take_link(), outbound_.framing(), options_.entity, outbound_.token());
  kit_.log().write(LogLevel::kInfo, "registered at the relay",
                   {{"entity", options_.entity.path},
                    {"relay", options_.entity.host},
                    {"listener", id_},
                    {"target", options_.target.text()}});
}

void Listener::on_renewed(const Status &status) {
  if (status.ok()) {
    channel_failures_ = {};
    kit_.log().write(LogLevel::kInfo, "renewed the token of the control channel",
                     {{"entity", options_.entity.path}, {"relay", options_.entity.host}});
  } else if (status.code == Code::kUnsupported) {
    log(LogLevel::kDebug, "the relay will end the control channel with its token", status);
  } else {
    counters_.failed(status);
    const FailureCount::Failure failure = channel_failures_.add(status.code);
    log(failure.level(LogLevel::kWarn), "cannot renew the token of the control channel", status);
  }
}

void Listener::on_lost(const Status &why) {
  counters_.failed(why);
  if (reconnect_.stood(kit_.shard.io.now_ns(), *kit_.limits)) {
    channel_failures_ = {};
  }
  const FailureCount::Failure failure = channel_failures_.add(why.code);
  log(failure.level(LogLevel::kWarn), "lost the relay; seeking it again", why);
}

void Listener::on_channel_ended() {
  if (phase_ == Phase::kRunning) {
    connect_later();
  } else {
    check_stopped();
  }
}

// --- offers
// ---------------------------------------------------------------------------------------

void Listener::on_offer(ChannelResult &offer) {
  // Later the channel is ending, and not read.
  CULVERT_ASSERT(phase_ == Phase::kRunning || phase_ == Phase::kDraining);
  const std::size_t turn = dealt_++ % (followers_.size() + 1);
  if (turn == followers_.size()) {
    serve(offer);
    return;
  }
  const Follower &follower = followers_[turn];
  auto dealt = std::make_unique<DealtOffer>();
  dealt->offer = std::move(offer);
  dealt->address_to<&Listener::on_dealt>(*follower.part);
  kit_.shard.io.post(*follower.io, *dealt.release());
}

void Listener::on_dealt(Mail &mail) {
  const std::unique_ptr<DealtOffer> dealt(static_cast<DealtOffer *>(&mail));
  if (phase_ != Phase::kDropping) {
    serve(dealt->offer);
  }
}

/// After the last offer.
void Listener::release_followers() {
  for (const Follower &follower : std::exchange(followers_, {})) {
    auto word = std::make_unique<Mail>();
    word->address_to<&Listener::on_leader_ended>(*follower.part);
    kit_.shard.io.post(*follower.io, *word.release());
  }
}

void Listener::on_leader_ended(Mail &mail) {
  const std::unique_ptr<Mail> word(&mail);
  place_ = Place::kAlone;
  check_stopped();
}

void Listener::serve(ChannelResult &offer) {
  const std::uint64_t served = kit_.limits->offers_per_shard;
  const bool room = fetches_.size() <
                    std::min<std::uint64_t>(served, tunnels_.room(kit_.limits->tunnels_per_shard));
  const auto handle = fetches_.size() < served + kit_.limits->refusals_per_shard
                          ? fetches_.make(*this, std::move(offer))
                          : std::nullopt;
  if (!handle) {
    const FailureCount::Failure failure = count_failure(Code::kOverload);
    kit_.log().write(failure.level(LogLevel::kWarn),
                     "too many offers at once; one is not even refused",
                     {{"entity", options_.entity.path},
                      {"tunnels", std::to_string(tunnels_.size())},
                      {"offers", std::to_string(fetches_.size())},
                      {"failures", std::to_string(failure.count)}});
    return;
  }
  Serving &serving = *fetches_.find(*handle);
  serving.handle = *handle;
  kit_.log().write(LogLevel::kDebug, "an offer has come",
                   {{"entity", options_.entity.path}, {"id", serving.fetch.loggable_id()}});
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
    facts.setup = step_times(SetupStep::kTarget, serving.offered_ns, fetch.target_reached_ns(),
                             SetupStep::kFetched, kit_.shard.io.now_ns());
    facts.entity = options_.entity.path;
    facts.id = fetch.loggable_id();
    facts.app = fetch.app_address();
    tunnels_.join({fetch.take_relay_link(), kListenerEnds.first, Source::kRelay},
                  {fetch.take_target_link(), kListenerEnds.second, Source::kTarget},
                  std::move(facts));
  } else {
    counters_.failed(status);
    const FailureCount::Failure failure = count_failure(status.code);
    kit_.log().write(failure.level(LogLevel::kWarn),
                     status.source == Source::kTarget ? "cannot connect to the target for a sender"
                                                      : "an offer came to nothing",
                     {{"entity", options_.entity.path},
                      {"id", fetch.loggable_id()},
                      {"app", fetch.app_address()},
                      {"source", std::string(word(status.source))},
                      {"why", status.said()},
                      {"failures", std::to_string(failure.count)}});
  }
  fetches_.erase(serving.handle);
  check_stopped();
}

FailureCount::Failure Listener::count_failure(Code why) {
  return failures_.add(why, *kit_.limits, kit_.shard.io.now_ns());
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
  if (channel_.state() == ControlChannel::State::kOnline) {
    channel_.leave();
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
  channel_.drop();
  fetches_.for_each([&why](SlabHandle, Serving &serving) { serving.fetch.cancel(why); });
  tunnels_.drop_all(why);
  check_stopped();
}

void Listener::check_stopped() {
  if (phase_ == Phase::kRunning || phase_ == Phase::kStopped || place_ == Place::kFollower ||
      channel_.state() != ControlChannel::State::kNone || outbound_.running()) {
    return;
  }
  release_followers();
  if (fetches_.size() > 0 || !tunnels_.empty()) {
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
  kit_.log().write(level, message,
                   {{"entity", options_.entity.path},
                    {"relay", options_.entity.host},
                    {"source", std::string(word(why.source))},
                    {"why", why.message},
                    {"failures", std::to_string(channel_failures_.count())}});
}

} // namespace culvert
