#include "plan.hpp"

#include <algorithm>

namespace culvert::simtest {

namespace {

using Weather = Plan::Weather;

/// The tunnels of an entity that is removed for so long are dropped, or are not.
constexpr std::uint64_t kGraceOverMs = ShardLimits{}.drain_grace_ms + 2'000;
constexpr std::uint64_t kWithinGraceMs = ShardLimits{}.drain_grace_ms - 2'000;
/// A tunnel that was open all the time goes on so long behind an event.
constexpr std::uint64_t kBehindEventMs = 120'000;

class Planner {
public:
  explicit Planner(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15U + 1) {}

  Plan make() {
    Plan plan;
    plan.tls = chance(5);
    // The example's payload stands in TLS alone: without TLS its carrier could not tell an abort
    // from an end.
    plan.protocol = plan.tls && chance(50) ? "example_relay" : "transport_azure";
    const std::uint64_t weather = below(100);
    plan.weather = weather < 10   ? Weather::kCalm
                   : weather < 35 ? Weather::kHarmless
                                  : Weather::kRough;
    plan.faults = faults(plan.weather);
    plan.senders = static_cast<unsigned>(1 + below(3));
    plan.thieves_per_cent = chance(30) ? 50 : 0;
    plan.drains = chance(50);
    plan.unix_targets = unix_targets_ = chance(15);
    // Behind the example's head nothing but the payload can stand; and a unix socket is to be found
    // on its listener's host alone.
    const bool can_haste = plan.protocol == "transport_azure" && !plan.unix_targets;
    plan.hasty_per_cent = can_haste && chance(50) ? 40 : 0;
    if (chance(40)) {
      plan.held_bytes = between(0, 400'000);
    }
    if (chance(50)) { // short ones are renewed in each silence
      plan.token_life_s = static_cast<std::int64_t>(between(60, 300));
    }
    add_proxy(plan);
    add_events(plan);
    add_sessions(plan);
    if (chance(20)) {
      plan.silent = plan.apps.size();
      add_silent_round(plan, between(kLongestSilenceMs / 4, kLongestSilenceMs), false);
    }
    return plan;
  }

private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(unsigned per_cent) { return below(100) < per_cent; }
  std::uint32_t rate(std::uint64_t low, std::uint64_t high) {
    return static_cast<std::uint32_t>(between(low, high));
  }

  // A rate counts for each call, delivery or completion, of which a session has hundreds; so what
  // breaks a stream strikes seldom, what delays it for seconds seldom, and the rest often.
  SimFaults faults(Weather weather) {
    if (weather == Weather::kCalm) {
      return {};
    }
    SimFaults faults = SimFaults::harmless(rate(2'000, 30'000));
    faults.set(SimFault::kCloggedLink, rate(200, 4'000))
        .set(SimFault::kCancelRace, rate(50'000, 300'000))
        .set(SimFault::kClockJump, rate(20, 200));
    if (weather == Weather::kHarmless) {
      return faults;
    }
    return faults.set(SimFault::kReset, rate(300, 8'000))
        .set(SimFault::kHalfOpen, rate(300, 8'000))
        .set(SimFault::kNoBuffersOnConnect, rate(2'000, 30'000))
        .set(SimFault::kNoDescriptorOnOpen, rate(2'000, 30'000))
        .set(SimFault::kNoDescriptorOnAccept, rate(2'000, 30'000))
        .set(SimFault::kConnectRefused, rate(2'000, 30'000))
        .set(SimFault::kConnectUnreachable, rate(2'000, 30'000))
        .set(SimFault::kConnectTimeout, rate(2'000, 20'000));
  }

  void add_proxy(Plan &plan) {
    const bool has_proxy = chance(25);
    for (bool &proxied : plan.proxied_listeners) {
      proxied = has_proxy && chance(50);
    }
    for (unsigned i = 0; i < plan.senders; ++i) {
      plan.proxied_senders.push_back(has_proxy && chance(50));
    }
  }

  Event outage(std::uint64_t longest_ms) {
    Event made;
    const std::uint64_t kind = below(100);
    made.kind = kind < 25   ? EventKind::kKillByReset
                : kind < 50 ? EventKind::kKillByFin
                : kind < 80 ? EventKind::kCut
                            : EventKind::kLose;
    made.wait_ms = between(10, 2'000);
    made.duration_ms = made.kind == EventKind::kLose ? 0 : between(10, longest_ms);
    made.listener = static_cast<unsigned>(below(2));
    return made;
  }

  EventKind kind_of_change(const Plan &plan, bool is_quiet) {
    if (plan.tls && chance(60)) {
      return EventKind::kReplaceCertificate;
    }
    if (plan.has_proxy() && chance(40)) {
      constexpr EventKind kOfProxy[] = {EventKind::kProxyRefuses, EventKind::kProxySilent,
                                        EventKind::kProxyCuts};
      return kOfProxy[below(std::size(kOfProxy))];
    }
    // The last ones take minutes, until a token has ended.
    constexpr EventKind kOfAll[] = {
        EventKind::kReloadRules,  EventKind::kRemoveEntity,    EventKind::kReloadClients,
        EventKind::kStopListener, EventKind::kRotateAtClients, EventKind::kRotateAtRelay,
        EventKind::kJumpClock,    EventKind::kMoveRelay,       EventKind::kNameFails,
        EventKind::kNameSilent,   EventKind::kNameDead,        EventKind::kNameDeadFirst,
        EventKind::kRemoveRule,   EventKind::kEndToken};
    return kOfAll[below(std::size(kOfAll) - (is_quiet ? 0 : 2))];
  }

  /// Of the configuration, the names, the clock or the proxy.
  Event change(const Plan &plan, bool is_quiet) {
    Event made;
    made.kind = kind_of_change(plan, is_quiet);
    made.wait_ms = between(10, 2'000);
    made.listener = static_cast<unsigned>(below(2));
    made.duration_ms = between(10, is_quiet && chance(50) ? 60'000 : 8'000);
    switch (made.kind) {
    case EventKind::kRemoveEntity:
      made.drops_tunnels = is_quiet && chance(50);
      made.duration_ms = made.drops_tunnels ? between(kGraceOverMs, 2 * kGraceOverMs)
                                            : between(10, kWithinGraceMs);
      break;
    case EventKind::kRotateAtClients:
    case EventKind::kRotateAtRelay:
      // In the storm not of a listener: its channel would be lost at some time long behind it.
      made.rule = static_cast<unsigned>(below(is_quiet ? 3 : 1));
      break;
    case EventKind::kJumpClock: // a minute to an hour, either way
      made.jump_s = static_cast<std::int64_t>(between(60, 3'600)) * (chance(50) ? 1 : -1);
      break;
    default:
      break;
    }
    return made;
  }

  /// Of the kinds that no session may notice, while all sessions run.
  Event unnoticed(const Plan &plan) {
    constexpr EventKind kKinds[] = {EventKind::kReloadRules,     EventKind::kReloadClients,
                                    EventKind::kRotateAtClients, EventKind::kRotateAtRelay,
                                    EventKind::kJumpClock,       EventKind::kReplaceCertificate};
    Event made;
    made.kind = kKinds[below(std::size(kKinds) - (plan.tls ? 0 : 1))];
    made.wait_ms = between(10, 1'000);
    made.duration_ms = between(500, 2'000); // longer than a set-up, which keeps its key
    // Less than the time that a renewal has: a quarter of a token's life, and the relay's grace.
    made.jump_s = static_cast<std::int64_t>(between(60, 200)) * (chance(50) ? 1 : -1);
    return made;
  }

  void add_events(Plan &plan) {
    if (plan.weather != Weather::kRough && chance(50)) {
      for (std::uint64_t count = between(1, 3); count > 0; --count) {
        plan.storm.push_back(unnoticed(plan));
      }
    }
    if (plan.weather == Weather::kRough && chance(25)) {
      for (std::uint64_t count = between(1, 3); count > 0; --count) {
        plan.storm.push_back(chance(60) ? outage(8'000) : change(plan, false));
      }
    }
    if (chance(45)) {
      plan.quiet.push_back(outage(chance(50) ? 5'000 : 60'000));
    }
    if (chance(70)) {
      plan.quiet.insert(chance(50) ? plan.quiet.begin() : plan.quiet.end(), change(plan, true));
    }
  }

  std::uint64_t size() {
    const std::uint64_t kind = below(100);
    if (kind < 25) {
      return between(kNumberBytes, 2'000);
    }
    return kind < 60 ? between(2'000, 64'000) : between(64'000, 700'000);
  }

  void slow_down(Manner &manner) {
    if (chance(15)) {
      manner.pauses = static_cast<unsigned>(between(1, 20));
      manner.pause_ms = static_cast<std::uint32_t>(between(5, 500));
      manner.read_bytes = between(1, 8'000);
    } else if (chance(20)) {
      manner.read_bytes = between(500, 64U * 1024);
    }
    if (chance(10)) {
      manner.receive_buffer = static_cast<int>(between(2'048, 64'000));
    }
  }

  /// More than every buffer on the way takes together, towards one who hardly reads: every pump
  /// has to stop.
  void clog(Session &session) {
    const bool up = session.target.echo || chance(50);
    (up ? session.up : session.down).planned = between(2'500'000, 5'000'000);
    Manner &reader = up ? session.target : session.app;
    reader.pauses = 20;
    reader.pause_ms = static_cast<std::uint32_t>(between(20, 500));
    reader.read_bytes = between(1, 8'000);
    reader.receive_buffer = static_cast<int>(between(2'048, 64'000));
  }

  void maybe_abort(Session &session) {
    if (!chance(25)) {
      return;
    }
    const bool by_app = unix_targets_ || chance(50); // else nobody could tell it from an end
    Manner &manner = by_app ? session.app : session.target;
    const std::uint64_t writes =
        by_app ? session.up.planned
               : (session.target.echo ? session.up.planned : session.down.planned);
    const std::uint64_t reads =
        by_app ? (session.target.echo ? session.up.planned : session.down.planned)
               : session.up.planned;
    if (chance(60)) {
      manner.abort_after_written = below(writes + 1);
    } else {
      manner.abort_after_read = below(reads + 1);
    }
  }

  Session session(std::uint64_t number, bool is_fresh) {
    Session made;
    made.number = number;
    made.up.key = random_.next();
    made.down.key = random_.next();
    made.up.planned = size();
    made.down.planned = size();
    const std::uint64_t kind = below(100);
    if (kind < 35) {
      made.target.echo = true;
    } else if (kind < 55) { // a sink that says something behind it all
      made.target.after_peer = true;
      made.down.planned = below(100);
    } else if (kind < 80) { // a source; the app may wait for all of it
      made.up.planned = between(kNumberBytes, 300);
      made.app.after_peer = chance(50);
    }
    if (is_fresh) {
      return made;
    }
    made.gap_ms = static_cast<std::uint32_t>(below(chance(50) ? 50 : 3'000));
    slow_down(made.app);
    slow_down(made.target);
    if (chance(4)) {
      clog(made);
    }
    maybe_abort(made);
    return made;
  }

  void add_app(Plan &plan, std::uint64_t count, bool is_fresh) {
    std::vector<std::uint64_t> numbers;
    for (; count > 0; --count) {
      numbers.push_back(plan.sessions.size());
      plan.sessions.push_back(session(plan.sessions.size(), is_fresh));
    }
    plan.apps.push_back(std::move(numbers));
  }

  void add_sessions(Plan &plan) {
    for (unsigned i = 0; i < 2 * plan.senders; ++i) {
      add_app(plan, between(2, 6), false);
    }
    plan.fresh = plan.apps.size();
    add_round(plan);
    for (Event &event : plan.quiet) {
      if (traits(event.kind).spares_tunnels) {
        event.companions = plan.apps.size();
        add_silent_round(plan, silence_ms(plan, event), event.drops_tunnels);
      }
      if (traits(event.kind).works_meanwhile) {
        event.meanwhile = plan.apps.size();
        add_round(plan);
      }
      event.fresh = plan.apps.size();
      add_round(plan);
    }
  }

  void add_round(Plan &plan) {
    for (unsigned i = 0; i < plan.senders; ++i) {
      add_app(plan, 2, true);
    }
  }

  /// Longer than the event.
  static std::uint64_t silence_ms(const Plan &plan, const Event &event) {
    const bool waits_for_token =
        event.kind == EventKind::kRemoveRule || event.kind == EventKind::kEndToken;
    const std::uint64_t token_ms =
        static_cast<std::uint64_t>(plan.token_life_s) * 1'000 + RelayLimits{}.token_grace_ms;
    return event.duration_ms + (waits_for_token ? token_ms : 0) + kBehindEventMs;
  }

  /// Sessions whose ends say nothing for minutes, and then the rest.
  void add_silent_round(Plan &plan, std::uint64_t silence_ms, bool is_doomed) {
    for (unsigned i = 0; i < plan.senders; ++i) {
      Session silent = session(plan.sessions.size(), true);
      silent.app = {};
      silent.app.silence_ms = static_cast<std::uint32_t>(silence_ms);
      silent.target = {};
      silent.target.echo = true;
      silent.is_doomed = is_doomed;
      plan.apps.push_back({silent.number});
      plan.sessions.push_back(silent);
    }
  }

  SeededRandom random_;
  bool unix_targets_ = false;
};

} // namespace

Plan make_plan(std::uint64_t seed) {
  return Planner(seed).make();
}

} // namespace culvert::simtest
