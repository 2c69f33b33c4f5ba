// What one seed decides: the shape of its world, its faults, its sessions and its events.
//
// Pure data drawn from a random source of its own, so that the world's draws are not disturbed.
#pragma once

#include "events.hpp"
#include "session.hpp"

#include "core/random.hpp"
#include "culvert/limits.hpp"
#include "support/sim/sim_faults.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace culvert::simtest {

struct Plan {
  enum class Weather : std::uint8_t { kCalm, kHarmless, kRough };

  bool tls = false;
  std::string protocol;
  Weather weather = Weather::kCalm;
  SimFaults faults;
  unsigned senders = 1;
  unsigned thieves_per_cent = 0; // offers whose capability somebody forges
  bool unix_targets = false;
  unsigned hasty_per_cent = 0;                       // offers served by one who pipelines
  std::size_t held_bytes = ShardLimits{}.held_bytes; // a shard's budget
  bool drains = false;                               // at the end, instead of being dropped
  bool proxied_listeners[2] = {};
  std::vector<bool> proxied_senders;
  std::vector<Event> storm;          // while the faults are on
  std::vector<Event> quiet;          // behind them: the promised times hold
  std::vector<Session> sessions;     // numbered
  std::int64_t token_life_s = 3'600; // of listeners and senders
  // The numbers of each app, in order; those from `fresh` on are for the time behind the faults, an
  // app for each sender: a round behind them, those of each quiet event, and the silent round at
  // the very end, in which minutes pass without a word.
  std::vector<std::vector<std::uint64_t>> apps;
  std::size_t fresh = 0;
  std::optional<std::size_t> silent;

  [[nodiscard]] bool has_proxy() const {
    return proxied_listeners[0] || proxied_listeners[1] ||
           std::find(proxied_senders.begin(), proxied_senders.end(), true) != proxied_senders.end();
  }
};

Plan make_plan(std::uint64_t seed);

} // namespace culvert::simtest
