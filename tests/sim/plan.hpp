// What one seed decides: the shape of its world, its faults, its sessions and its events.
//
// Pure data drawn from a random source of its own, so that the world's draws are not disturbed.
#pragma once

#include "session.hpp"

#include "core/random.hpp"
#include "culvert/limits.hpp"
#include "support/sim/sim_faults.hpp"

#include <string>
#include <vector>

namespace culvert::simtest {

struct Event {
  enum class Kind : std::uint8_t { kKillRelay, kCut, kLose };
  Kind kind = Kind::kKillRelay;
  std::uint64_t wait_ms = 0;     // behind the event before it
  std::uint64_t duration_ms = 0; // of the outage
  bool finishes = false;         // kKillRelay: its connections end with FIN, not reset
  unsigned listener = 0;         // whose path to the relay is cut, or whose connections are lost
};

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
  std::vector<Event> events;                         // while the faults are on
  std::vector<Event> outages;                        // behind them: the promised times hold
  std::vector<Session> sessions;                     // numbered
  bool is_silent = false;                            // at the very end, for minutes
  std::int64_t token_life_s = 3'600;                 // of listeners and senders
  // The numbers of each app, in order; those from `fresh` on are for the time behind the faults: a
  // round behind them, one behind each outage, and the silent one, with an app for each sender.
  std::vector<std::vector<std::uint64_t>> apps;
  std::size_t fresh = 0;
};

Plan make_plan(std::uint64_t seed);

} // namespace culvert::simtest
