#include "world_run.hpp"

#include "core/uuid.hpp"

#include <algorithm>
#include <utility>

namespace culvert::simtest {

namespace {

/// What a connection to the relay carries, both ways together, before a tunnel's or channel's own
/// bytes: the heads, and under TLS the handshake.
constexpr std::uint64_t kPlainSetUpBytes = 1'500;
constexpr std::uint64_t kTlsSetUpBytes = 3'500;

/// An idle half-open connection is found within 100 s, one with bytes under way within 924 s; a
/// half-closed tunnel may be silent for an hour. Two of them can follow each other.
constexpr std::uint64_t kLongestSessionMs = 3 * 3'600'000;
constexpr std::uint64_t kStormMs = 60'000;
/// Within this time both ends of a channel have found that the wall clock was set.
constexpr std::uint64_t kWallLookMs = 61'000;
/// A connection that was made half-open stays so for good, and a control channel's two ends still
/// believe in it: a ping interval of 15 s and the wait for a pong pass before they know. It is
/// registered again within kLaterMs of the loss.
constexpr std::uint64_t kHalfOpenMs = 15'000 + ShardLimits{}.pong_ms + 100;

} // namespace

std::string listener_host(unsigned index) {
  return "10.0.1." + std::to_string(index + 1);
}

std::string sender_host(unsigned index) {
  return "10.0.2." + std::to_string(index + 1);
}

WorldRun::WorldRun(std::uint64_t seed)
    : plan_(make_plan(seed)), world_(seed),
      services_(world_, plan_.tls, plan_.protocol, plan_.held_bytes, plan_.token_life_s),
      relay_(services_), sessions_(plan_.sessions), app_io_(world_.make_io("apps", "10.0.3.1")) {
  world_.stream_after(kRelayPort, plan_.tls ? kTlsSetUpBytes : kPlainSetUpBytes);
  make_roles();
  make_apps();
}

void WorldRun::make_roles() {
  if (plan_.thieves_per_cent > 0) {
    thief_ = std::make_unique<Thief>(services_, relay_.client_of(kFirstListenerRule), judge_);
  }
  if (plan_.hasty_per_cent > 0) {
    hasty_ = std::make_unique<Hasty>(services_, relay_.client_of(kFirstListenerRule), judge_);
    relay_.ear().on_join = [this](const std::string &id, bool moved) {
      if (hasty_->serves(id)) {
        ++totals_.hasty;
        totals_.hasty_moved += moved ? 1 : 0;
      }
    };
  }
  if (plan_.has_proxy()) {
    proxy_ = std::make_unique<ProxyHost>(services_, judge_);
  }
  sender_options_.entity = {kRelayName, kRelayPort, kEntity};
  for (unsigned i = 0; i < 2; ++i) {
    const std::string host =
        plan_.unix_targets ? listener_host(i) : "10.0.4." + std::to_string(i + 1);
    const std::string path = plan_.unix_targets ? "/run/target" : "";
    const Address target =
        plan_.unix_targets ? Address::unix_path(path) : *Address::from_literal(host, 5432);
    SimIo &io = world_.make_io("target-" + std::to_string(i), host);
    targets_.push_back(std::make_unique<Target>(talk_, io, target));
    listener_options_[i].entity = sender_options_.entity;
    listener_options_[i].target = {plan_.unix_targets ? "" : host, 5432, path};
    listeners_.push_back(std::make_unique<ListenerHost>(
        services_, "listener-" + std::to_string(i), listener_host(i), plan_.proxied_listeners[i]));
    make_listener(i);
    if (hasty_) {
      listeners_[i]->transport().takes_over = [this, target](const LinkDescription &description) {
        const bool hasty = world_.random().below(100) < plan_.hasty_per_cent;
        if (hasty) {
          hasty_->fetch(description, target);
        }
        return hasty;
      };
    }
    if (thief_) {
      listeners_[i]->transport().on_accept = [this](const LinkDescription &description) {
        if (world_.random().below(100) < plan_.thieves_per_cent) {
          thief_->steal(description);
        }
      };
    }
  }
  for (unsigned i = 0; i < plan_.senders; ++i) {
    const std::string host = sender_host(i);
    senders_.push_back(std::make_unique<SenderHost>(services_, "sender-" + std::to_string(i), host,
                                                    plan_.proxied_senders[i]));
    senders_[i]->make(relay_.client_of(kSenderRule), sender_options_);
    sender_addresses_.push_back(*Address::from_literal(host, 5432));
  }
}

void WorldRun::make_listener(unsigned index) {
  listeners_[index]->make(relay_.client_of(kFirstListenerRule + index), listener_options_[index],
                          make_uuid(*services_.random));
}

void WorldRun::make_apps() {
  for (std::size_t i = 0; i < plan_.apps.size(); ++i) {
    std::vector<Session *> sessions;
    for (const std::uint64_t number : plan_.apps[i]) {
      sessions.push_back(&sessions_[number]);
    }
    apps_.push_back(std::make_unique<App>(talk_, app_io_, sender_addresses_[i % plan_.senders],
                                          std::move(sessions)));
  }
}

bool WorldRun::expect(bool condition, const std::string &what) {
  if (!condition) {
    judge_.fail(what);
  }
  return condition;
}

bool WorldRun::until(const std::function<bool()> &done, std::uint64_t within_ms,
                     const std::string &what) {
  return expect(world_.run_until(done, within_ms),
                what + " within " + std::to_string(within_ms) + " ms");
}

bool WorldRun::registered() {
  std::size_t expected = 0;
  bool all_online = true;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    expected += away_[i] ? 0 : 1;
    all_online = all_online && (away_[i] || listeners_[i]->online());
  }
  return all_online && relay_.registered() == expected;
}

// --- the acts -----------------------------------------------------------------------------------

bool WorldRun::run() {
  relay_.start();
  for (unsigned i = 0; i < plan_.senders; ++i) {
    senders_[i]->role().start({senders_[i]->io().listen(sender_addresses_[i]).value()});
  }
  if (proxy_) {
    proxy_->start();
    close_firewall();
  }
  world_.faults() = plan_.faults;
  for (const auto &listener : listeners_) {
    listener->role().start();
  }
  bool held = storm() && recover(kLaterMs) && round(plan_.fresh, kFreshMs) && outlast();
  for (std::size_t i = 0; held && i < plan_.quiet.size(); ++i) {
    world_.run_for(kWallLookMs); // the end of the storm has set the clock
    held = pass_through(plan_.quiet[i]) && outlast();
  }
  held = held && (!plan_.silent || silence()) && stop();
  if (held) {
    judge_sessions();
    judge_counters();
  }
  sum_up();
  return failures().empty();
}

/// The sessions run, things happen, and what can go wrong does; until the sessions are over, or for
/// a while.
bool WorldRun::storm() {
  if (plan_.weather == Plan::Weather::kCalm &&
      !until([this] { return registered(); }, kSoonMs, "the listeners are registered")) {
    return false;
  }
  for (std::size_t i = 0; i < plan_.fresh; ++i) {
    apps_[i]->start();
  }
  for (const Event &event : plan_.storm) {
    world_.run_for(event.wait_ms);
    if (!begin(event)) {
      return false;
    }
    world_.run_for(event.duration_ms);
    if (!end(event)) {
      return false;
    }
  }
  world_.run_until(
      [this] {
        return std::all_of(apps_.begin(), apps_.begin() + static_cast<std::ptrdiff_t>(plan_.fresh),
                           [](const auto &app) { return app->idle(); });
      },
      kStormMs);
  world_.heal();
  close_firewall();
  return true;
}

/// Whoever has a proxy reaches the relay through it alone.
void WorldRun::close_firewall() {
  for (const char *relay : {kRelayHost, kOtherRelayHost}) {
    for (unsigned i = 0; i < listeners_.size(); ++i) {
      if (plan_.proxied_listeners[i]) {
        world_.cut(relay, listener_host(i));
      }
    }
    for (unsigned i = 0; i < senders_.size(); ++i) {
      if (plan_.proxied_senders[i]) {
        world_.cut(relay, sender_host(i));
      }
    }
  }
}

bool WorldRun::recover(std::uint64_t within_ms) {
  if (std::exchange(clock_jumped_, false)) {
    world_.run_for(kWallLookMs);
  }
  if (!half_open_found_ && (half_open_ || world_.fault_counts().of(SimFault::kHalfOpen) > 0)) {
    half_open_found_ = true;
    world_.run_for(kHalfOpenMs);
    within_ms = kLaterMs - kHalfOpenMs;
  }
  return until([this] { return registered(); }, within_ms, "the listeners are registered again");
}

/// New tunnels work, whole.
bool WorldRun::round(std::size_t first, std::uint64_t within_ms) {
  const auto begin = apps_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(plan_.senders);
  std::for_each(begin, end, [](const auto &app) { app->start(); });
  if (!until([&] { return std::all_of(begin, end, [](const auto &app) { return app->idle(); }); },
             within_ms, "fresh sessions are over")) {
    return false;
  }
  for (std::size_t i = first; i < first + plan_.senders; ++i) {
    for (const std::uint64_t number : plan_.apps[i]) {
      const Session &session = sessions_[number];
      expect(session.joined && session.down.whole(),
             "session " + std::to_string(number) + " is fresh and comes back whole");
    }
  }
  return failures().empty();
}

/// Tunnels and control channels in which nobody says anything for minutes are as good as before.
bool WorldRun::silence() {
  world_.run_for(kWallLookMs); // what a cut has broken without a word is found by then, too
  if (!recover(kLaterMs)) {
    return false;
  }
  const std::uint64_t before = listens();
  ++totals_.silences;
  return round(*plan_.silent, kLongestSilenceMs + kFreshMs) && outlast() &&
         expect(listens() == before && registered(), "no listener was lost in the silence");
}

/// Every session ends by itself, however it was broken.
bool WorldRun::outlast() {
  return until(
      [this] {
        return std::all_of(apps_.begin(), apps_.begin() + static_cast<std::ptrdiff_t>(plan_.fresh),
                           [](const auto &app) { return app->idle(); }) &&
               std::all_of(targets_.begin(), targets_.end(),
                           [](const auto &target) { return target->idle(); });
      },
      kLongestSessionMs, "all sessions are over");
}

bool WorldRun::stop() {
  for (const auto &sender : senders_) {
    plan_.drains ? sender->role().drain() : sender->role().drop();
  }
  for (const auto &listener : listeners_) {
    plan_.drains ? listener->role().drain() : listener->role().drop();
  }
  plan_.drains ? relay_.drain() : relay_.drop();
  const auto stopped = [](const auto &role) { return role->stopped(); };
  if (!until(
          [&] {
            return relay_.done() && std::all_of(senders_.begin(), senders_.end(), stopped) &&
                   std::all_of(listeners_.begin(), listeners_.end(), stopped);
          },
          kStopMs, "all roles are stopped")) {
    return false;
  }
  if (hasty_) {
    hasty_->stop();
  }
  if (proxy_) {
    proxy_->stop();
  }
  for (const auto &target : targets_) {
    target->stop();
  }
  for (const auto &app : apps_) {
    app->stop();
  }
  return until(
      [&] {
        return std::all_of(targets_.begin(), targets_.end(), stopped) &&
               std::all_of(apps_.begin(), apps_.end(),
                           [](const auto &app) { return app->idle(); }) &&
               (!thief_ || thief_->idle()) && (!hasty_ || hasty_->idle()) &&
               (!proxy_ || proxy_->idle());
      },
      kStopMs, "apps and targets are closed");
}

std::string WorldRun::state() const {
  std::string text = "held by the relay: " + std::to_string(relay_.held()) + '\n';
  const auto flow = [](const Flow &one) {
    return std::to_string(one.read) + " read of " + std::to_string(one.written) + " written of " +
           std::to_string(one.planned) + (one.finished ? " finished" : "");
  };
  for (const Session &session : sessions_) {
    if (session.connected && !session.over()) {
      text += "session " + std::to_string(session.number) + (session.joined ? "" : " not joined") +
              ": up " + flow(session.up) + ", down " + flow(session.down) + '\n';
    }
  }
  for (const auto &sender : senders_) {
    text += "held by a sender: " + std::to_string(sender->held()) + '\n';
  }
  for (const auto &listener : listeners_) {
    text += "held by a listener: " + std::to_string(listener->held()) + '\n';
  }
  return text + world_.leaks();
}

} // namespace culvert::simtest
