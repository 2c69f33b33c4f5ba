// What the events of a plan do to the world, and what must hold while they last and behind them.
#include "world_run.hpp"

#include <algorithm>

namespace culvert::simtest {

namespace {

constexpr char kDeadHost[] = "10.0.0.9"; // it answers nothing
/// A channel ends so long after the moment at which the relay ends it, or later than this.
constexpr std::uint64_t kNoticedMs = 2'000;
/// A proxy that does not answer keeps a try for proxy_ms, and up to reconnect_ceiling_ms pass
/// before the next one.
constexpr std::uint64_t kBehindProxyMs =
    ClientLimits{}.proxy_ms + ClientLimits{}.reconnect_ceiling_ms + 5'000;

unsigned rule_of(unsigned listener) {
  return kFirstListenerRule + listener;
}

} // namespace

/// One event behind the storm, in which nothing else goes wrong.
bool WorldRun::pass_through(const Event &event) {
  if (event.companions && !open_companions(*event.companions)) {
    return false;
  }
  if (!begin(event)) {
    return false;
  }
  if (event.meanwhile && !(recover(kLaterMs) && round(*event.meanwhile, kFreshMs))) {
    return false;
  }
  world_.run_for(event.duration_ms);
  return end(event) && recover_from(event) && round(event.fresh, kFreshMs) &&
         keys_are_switched(event) && (!event.companions || companions_end(*event.companions));
}

bool WorldRun::begin(const Event &event) {
  ++totals_.events[static_cast<std::size_t>(event.kind)];
  listens_ = listens();
  refusals_ = refusals(event.rule);
  put_back_ = relay_.settings();
  switch (event.kind) {
  case EventKind::kKillByReset:
  case EventKind::kMoveRelay:
    return kill_relay(false);
  case EventKind::kKillByFin:
    return kill_relay(true);
  case EventKind::kCut:
    world_.cut(way_of(event.listener), listener_host(event.listener));
    return true;
  case EventKind::kLose:
    half_open_ = true;
    world_.lose(way_of(event.listener), listener_host(event.listener));
    return true;
  case EventKind::kReloadRules:
    relay_.settings().entities.push_back({"db/other", {}});
    relay_.settings().rules.push_back({"other", kRightManage, {services_.make_key()}});
    relay_.reload();
    return true;
  case EventKind::kRemoveEntity:
    relay_.settings().entities = {{"db/other", {}}};
    relay_.reload();
    return true;
  case EventKind::kReplaceCertificate:
    relay_.settings().certificate ^= 1U;
    relay_.reload();
    return true;
  case EventKind::kReloadClients:
    for (unsigned rule = 0; rule < relay_.settings().rules.size(); ++rule) {
      reload_clients(rule, relay_.client_of(rule));
    }
    return true;
  case EventKind::kRotateAtClients:
  case EventKind::kRotateAtRelay:
    rotate(event);
    return true;
  case EventKind::kRemoveRule:
    relay_.settings().rules.erase(relay_.settings().rules.begin() + rule_of(event.listener));
    relay_.reload();
    return lose_channel(event.listener);
  case EventKind::kEndToken:
    return end_token(event.listener);
  case EventKind::kStopListener:
    return stop_listener(event.listener);
  case EventKind::kJumpClock:
    clock_jumped_ = true;
    world_.jump_wall(event.jump_s);
    return true;
  case EventKind::kNameFails:
  case EventKind::kNameSilent:
  case EventKind::kNameDead:
  case EventKind::kNameDeadFirst:
    break_names(event.kind);
    if (!kill_relay(false)) {
      return false;
    }
    relay_.start();
    return true;
  case EventKind::kProxyRefuses:
  case EventKind::kProxySilent:
  case EventKind::kProxyCuts:
    upset_proxy(event.kind);
    return true;
  }
  return false;
}

bool WorldRun::end(const Event &event) {
  switch (event.kind) {
  case EventKind::kMoveRelay:
    relay_.move_to(services_.relay_host == kRelayHost ? kOtherRelayHost : kRelayHost);
    services_.names.relay = {services_.relay_host};
    relay_.start();
    return true;
  case EventKind::kKillByReset:
  case EventKind::kKillByFin:
    relay_.start();
    return true;
  case EventKind::kCut:
    world_.mend(way_of(event.listener), listener_host(event.listener));
    return true;
  case EventKind::kReloadRules:
  case EventKind::kRemoveEntity:
  case EventKind::kRemoveRule:
    relay_.settings() = put_back_;
    relay_.reload();
    away_[event.listener] = false;
    return true;
  case EventKind::kRotateAtClients:
  case EventKind::kRotateAtRelay:
    relay_.settings().rules[event.rule].secrets = {next_key_};
    relay_.reload();
    return true;
  case EventKind::kEndToken:
    away_[event.listener] = false;
    reload_clients(rule_of(event.listener), relay_.client_of(rule_of(event.listener)));
    return true;
  case EventKind::kStopListener:
    start_listener(event.listener);
    return true;
  case EventKind::kNameFails:
  case EventKind::kNameSilent:
  case EventKind::kNameDead:
  case EventKind::kNameDeadFirst:
    services_.names = {Names::State::kRight, {services_.relay_host}};
    return true;
  case EventKind::kProxyRefuses:
  case EventKind::kProxySilent:
    services_.proxy_mood = ProxyMood::kServes;
    return true;
  case EventKind::kLose:
  case EventKind::kReplaceCertificate:
  case EventKind::kReloadClients:
  case EventKind::kJumpClock:
  case EventKind::kProxyCuts:
    return true;
  }
  return false;
}

/// What this kind promises of listeners.
bool WorldRun::recover_from(const Event &event) {
  const bool is_short = event.duration_ms <= kShortOutageMs;
  switch (event.kind) {
  case EventKind::kLose: // the relay is there all the time
    return until([&] { return listens() > listens_ && registered(); }, kLaterMs,
                 "a listener whose connections were swallowed is registered anew");
  case EventKind::kKillByReset:
  case EventKind::kKillByFin:
  case EventKind::kMoveRelay:
    return recover(is_short ? kSoonMs : kLaterMs);
  case EventKind::kProxyRefuses:
  case EventKind::kProxySilent:
  case EventKind::kProxyCuts:
    return recover(kBehindProxyMs);
  case EventKind::kReloadClients:
  case EventKind::kRotateAtClients:
  case EventKind::kRotateAtRelay:
    world_.run_for(tokens_end_ms()); // each channel has to show another token meanwhile
    break;
  default:
    break;
  }
  return recover(kLaterMs) && expect(!traits(event.kind).spares_channels || listens() == listens_,
                                     "no listener had to register anew");
}

/// A key that was refused is not shown again, whatever number of connections had it. Of a listener
/// the relay refuses the token that its channel has, and the renewal that may come before the
/// channel is closed.
bool WorldRun::keys_are_switched(const Event &event) {
  const std::uint64_t refused = refusals(event.rule) - refusals_;
  if (event.kind == EventKind::kRotateAtClients) {
    const std::uint64_t clients = event.rule == kSenderRule ? senders_.size() : 1;
    const std::uint64_t most = event.rule == kSenderRule ? clients : 2;
    return expect(clients <= refused && refused <= most,
                  "each client is refused once when the key changes: " + std::to_string(refused) +
                      " refusals");
  }
  return event.kind != EventKind::kRotateAtRelay ||
         expect(refused == 0, "nobody is refused while the relay has both keys: " +
                                  std::to_string(refused) + " refusals");
}

// --- tunnels that are open all the time ---------------------------------------------------------

bool WorldRun::open_companions(std::size_t first) {
  for (std::size_t i = first; i < first + plan_.senders; ++i) {
    apps_[i]->start();
  }
  return until(
      [&] {
        return std::all_of(plan_.apps.begin() + static_cast<std::ptrdiff_t>(first),
                           plan_.apps.begin() + static_cast<std::ptrdiff_t>(first + plan_.senders),
                           [this](const auto &app) { return sessions_[app.front()].joined; });
      },
      kFreshMs, "tunnels are open before an event");
}

bool WorldRun::companions_end(std::size_t first) {
  for (std::size_t i = first; i < first + plan_.senders; ++i) {
    const Session &session = sessions_[plan_.apps[i].front()];
    const std::string name = "session " + std::to_string(session.number);
    if (!until([&] { return session.over(); }, session.app.silence_ms + kFreshMs,
               name + " is over, which was open during an event")) {
      return false;
    }
    expect(session.whole() != session.is_doomed,
           session.is_doomed ? name + " is dropped with its entity"
                             : name + " is open during an event and comes back whole");
    totals_.dropped += session.is_doomed ? 1 : 0;
  }
  return failures().empty();
}

// --- the relay, its names and its proxy ---------------------------------------------------------

bool WorldRun::kill_relay(bool finishes) {
  totals_.fins += finishes ? world_.orphan(services_.relay_host) : 0;
  relay_.drop();
  if (!until([this] { return relay_.done(); }, kStopMs, "the killed relay ends")) {
    return false;
  }
  const std::string left = relay_.bury();
  return expect(left.empty(), left);
}

void WorldRun::break_names(EventKind kind) {
  Names &names = services_.names;
  names.state = kind == EventKind::kNameFails    ? Names::State::kFailing
                : kind == EventKind::kNameSilent ? Names::State::kSilent
                                                 : Names::State::kRight;
  names.relay = {kDeadHost};
  if (kind == EventKind::kNameDeadFirst) {
    names.relay.push_back(services_.relay_host);
  }
  std::vector<std::string> hosts = {kThiefHost};
  for (unsigned i = 0; i < listeners_.size(); ++i) {
    hosts.push_back(listener_host(i));
  }
  for (unsigned i = 0; i < senders_.size(); ++i) {
    hosts.push_back(sender_host(i));
  }
  for (const std::string &host : hosts) {
    world_.cut(kDeadHost, host);
  }
}

void WorldRun::upset_proxy(EventKind kind) {
  services_.proxy_mood = kind == EventKind::kProxyRefuses  ? ProxyMood::kRefuses
                         : kind == EventKind::kProxySilent ? ProxyMood::kSilent
                                                           : ProxyMood::kServes;
  proxy_->cut();
}

std::string WorldRun::way_of(unsigned listener) const {
  return plan_.proxied_listeners[listener] ? kProxyHost : services_.relay_host;
}

// --- keys and tokens ----------------------------------------------------------------------------

/// Whoever has to know both keys is told first; at the end of the event the relay has the next one.
void WorldRun::rotate(const Event &event) {
  Rule &rule = relay_.settings().rules[event.rule];
  const std::uint64_t before = rule.secrets.front();
  next_key_ = services_.make_key();
  if (event.kind == EventKind::kRotateAtClients) {
    reload_clients(event.rule, {rule.name, before, next_key_});
  } else {
    rule.secrets = {next_key_, before};
    relay_.reload();
    reload_clients(event.rule, {rule.name, next_key_});
  }
}

/// From now on it has its present token alone, and keeps its channel for as long as the relay's
/// grace lets it.
bool WorldRun::end_token(unsigned listener) {
  ListenerHost &host = *listeners_[listener];
  const std::int64_t end_s = host.counters().token_expires_s;
  reload_clients(rule_of(listener), {.signature = host.transport().last_token});
  constexpr std::int64_t kGraceSec =
      static_cast<std::int64_t>(RelayLimits{}.token_grace_ms) / 1'000;
  return lose_channel(listener) &&
         expect(world_.wall_s() >= end_s + kGraceSec, "a channel has the whole grace of its token");
}

bool WorldRun::tokens_are_good() const {
  return std::all_of(listeners_.begin(), listeners_.end(), [this](const auto &listener) {
    return listener->counters().token_expires_s > world_.wall_s();
  });
}

bool WorldRun::lose_channel(unsigned listener) {
  away_[listener] = true;
  return until([&] { return registered() && !listeners_[listener]->online(); }, tokens_end_ms(),
               "a listener that cannot renew its token loses its channel");
}

std::uint64_t WorldRun::tokens_end_ms() const {
  std::int64_t end_s = 0;
  for (const auto &listener : listeners_) {
    end_s = std::max<std::int64_t>(end_s, listener->counters().token_expires_s);
  }
  const std::int64_t left_s = std::max<std::int64_t>(end_s - world_.wall_s(), 0);
  return static_cast<std::uint64_t>(left_s) * 1'000 + RelayLimits{}.token_grace_ms + kNoticedMs;
}

std::uint64_t WorldRun::listens() const {
  return listeners_[0]->transport().listens + listeners_[1]->transport().listens;
}

std::uint64_t WorldRun::refusals(unsigned rule) const {
  if (rule != kSenderRule) {
    return listeners_[rule - kFirstListenerRule]->transport().refusals;
  }
  std::uint64_t sum = 0;
  for (const auto &sender : senders_) {
    sum += sender->transport().refusals;
  }
  return sum;
}

// --- clients ------------------------------------------------------------------------------------

bool WorldRun::stop_listener(unsigned listener) {
  ListenerHost &host = *listeners_[listener];
  away_[listener] = true;
  host.role().drain();
  return until([&] { return host.stopped(); }, kStopMs, "a listener that is stopped ends") &&
         expect(host.left().empty(), host.left());
}

void WorldRun::start_listener(unsigned listener) {
  make_listener(listener);
  listeners_[listener]->role().start();
  away_[listener] = false;
}

void WorldRun::reload_clients(unsigned rule, const ClientSettings &settings) {
  if (rule != kSenderRule) {
    const unsigned listener = rule - kFirstListenerRule;
    listeners_[listener]->reload(settings, listener_options_[listener]);
    return;
  }
  for (const auto &sender : senders_) {
    sender->reload(settings, sender_options_);
  }
}

} // namespace culvert::simtest
