// What must hold when a seed is over, and what it adds to the totals.
#include "core/limits.hpp"
#include "world_run.hpp"

#include <algorithm>

namespace culvert::simtest {

void WorldRun::judge_sessions() {
  for (const Session &session : sessions_) {
    const std::string name = "session " + std::to_string(session.number);
    expect(session.over(), name + " is over");
    const bool calm = plan_.weather == Plan::Weather::kCalm;
    const bool rough = plan_.weather == Plan::Weather::kRough;
    expect(rough || !session.joined ||
               (session.up.complete_where_cut_off() && session.down.complete_where_cut_off()),
           name + " was cut off, and what had arrived before that was lost");
    expect(!calm || !session.wants_to_be_whole() || session.is_doomed || session.whole(),
           name + " is whole where nothing goes wrong");
    ++totals_.sessions;
    ++(session.whole() ? totals_.whole : session.joined ? totals_.broken : totals_.unmet);
  }
}

void WorldRun::judge_counters() {
  const std::string left = relay_.bury();
  expect(left.empty(), left);
  // As ShardLimits::held_bytes promises, were every session's tunnel open at once.
  const std::size_t bound =
      plan_.held_bytes + kTurnBytes / 4 + 2 * sessions_.size() * kMinTurnHeldBytes;
  expect(relay_.most_held() <= bound, "the relay held more than it may");
  std::uint64_t sent = 0;
  std::uint64_t listened = 0;
  for (const auto &sender : senders_) {
    expect(sender->left().empty(), sender->left());
    expect(sender->most_held() <= bound, "a sender held more than it may");
    sent += sender->counters().tunnels.ended();
  }
  for (const auto &listener : listeners_) {
    expect(listener->left().empty(), listener->left());
    expect(listener->most_held() <= bound, "a listener held more than it may");
    listened += listener->counters().tunnels.ended();
  }
  listened += hasty_ ? hasty_->joined() : 0;
  if (plan_.weather == Plan::Weather::kCalm && plan_.quiet.empty()) {
    // An app that breaks its connection ends its set-up, which the relay may have joined by then;
    // the listener may hear of that before it has heard the relay's answer.
    const auto gone = static_cast<std::uint64_t>(
        std::count_if(sessions_.begin(), sessions_.end(), [](const Session &session) {
          return session.app.aborts() && !session.joined;
        }));
    const std::uint64_t joined = relay_.sums().joined;
    expect(sent <= joined && joined <= sent + gone && listened <= joined &&
               joined <= listened + gone,
           "every role counts the same tunnels: " + std::to_string(sent) + ", " +
               std::to_string(relay_.sums().joined) + " and " + std::to_string(listened));
  }
  expect(!thief_ || thief_->held() == 0, "the thief holds bytes");
  expect(!proxy_ || proxy_->held() == 0, "the proxy holds bytes");
  expect(!hasty_ || hasty_->held() == 0, "a hasty listener holds bytes");
  const std::string leaks = world_.leaks();
  expect(leaks.empty(), leaks);
}

void WorldRun::sum_up() {
  totals_.seeds = 1;
  totals_.tls_seeds = plan_.tls ? 1 : 0;
  totals_.unix_seeds = plan_.unix_targets ? 1 : 0;
  totals_.checked_bytes = talk_.checked_bytes;
  totals_.moved = relay_.sums().moved;
  totals_.same = relay_.sums().joined - relay_.sums().moved;
  for (const auto &listener : listeners_) {
    totals_.renewals += listener->transport().renewals;
  }
  totals_.proxied = proxy_ ? proxy_->joined() : 0;
  totals_.forged = thief_ ? thief_->tries() : 0;
  totals_.faults = world_.fault_counts();
}

} // namespace culvert::simtest
