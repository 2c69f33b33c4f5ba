// The counters of a running role. Any thread reads them; a role's parts write them on their shards.
//
// They belong to the role, which lives longer than its parts. Counts that change with each turn or
// tunnel are in one row for each shard, which only that shard writes. The others are written in
// set-up and tear-down only.
#pragma once

#include "core/assert.hpp"
#include "core/shard_count.hpp"
#include "culvert/status.hpp"
#include "role/setup_times.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace culvert {

/// The tunnels of one role: sums over its shards.
class TunnelCounts {
public:
  struct alignas(64) Row { // a cache line of its own: no shard waits for another's additions
    ShardCount joined;
    ShardCount moved; // of a relay: joined after a connection moved to another shard
    ShardCount ended;
    ShardCount aborted;   // of the ended ones, with the dropped ones
    ShardCount dropped;   // of the ended ones: by this process
    ShardCount bytes_in;  // payload from the app's side towards the target, counted turn by turn
    ShardCount bytes_out; // the other way
    ShardCount turns;     // that moved bytes, both ways
  };

  explicit TunnelCounts(unsigned shards) : rows_(shards) {}

  [[nodiscard]] Row &row(unsigned shard) {
    CULVERT_ASSERT(shard < rows_.size());
    return rows_[shard];
  }
  [[nodiscard]] SetupTimes &setup_times() { return setup_times_; }
  [[nodiscard]] const SetupTimes &setup_times() const { return setup_times_; }
  [[nodiscard]] std::uint64_t ended() const { return sum(&Row::ended); }
  [[nodiscard]] std::uint64_t open() const {
    const std::uint64_t over = ended(); // before the joined ones: the difference is never negative
    return sum(&Row::joined) - over;
  }
  [[nodiscard]] std::uint64_t moved() const { return sum(&Row::moved); }
  [[nodiscard]] std::uint64_t aborted() const { return sum(&Row::aborted); }
  [[nodiscard]] std::uint64_t dropped() const { return sum(&Row::dropped); }
  [[nodiscard]] std::uint64_t bytes_in() const { return sum(&Row::bytes_in); }
  [[nodiscard]] std::uint64_t bytes_out() const { return sum(&Row::bytes_out); }
  [[nodiscard]] std::uint64_t turns() const { return sum(&Row::turns); }

private:
  [[nodiscard]] std::uint64_t sum(ShardCount Row::*count) const {
    std::uint64_t all = 0;
    for (const Row &row : rows_) {
      all += (row.*count).read();
    }
    return all;
  }

  std::vector<Row> rows_;
  SetupTimes setup_times_;
};

/// Failures by their code.
class FailuresByCode {
public:
  void add(Code code) {
    counts_[std::min(static_cast<std::size_t>(code), kUnknown)].fetch_add(
        1, std::memory_order_relaxed);
  }
  /// By word(Code); only codes that occurred.
  [[nodiscard]] std::map<std::string, std::uint64_t> all() const {
    std::map<std::string, std::uint64_t> found;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (const std::uint64_t count = counts_[i].load(std::memory_order_relaxed); count > 0) {
        found[std::string(word(static_cast<Code>(i)))] = count;
      }
    }
    return found;
  }

private:
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(Code::kNoneAllowed) + 1;
  std::array<std::atomic<std::uint64_t>, kUnknown + 1> counts_{};
};

/// Of a listener or sender.
struct RoleCounters {
  explicit RoleCounters(unsigned shards = 1) : tunnels(shards) {}

  TunnelCounts tunnels;
  std::atomic<std::uint64_t> setups_failed = 0;
  std::atomic<std::uint32_t> channels_online = 0; // of a listener: registered at the relay now
  std::atomic<std::uint64_t> channels_registered = 0;
  std::atomic<std::uint64_t> channels_lost = 0;
  std::atomic<std::int64_t> channel_changed_s = 0; // Unix seconds: registered, or lost
  std::atomic<std::int64_t> token_expires_s = 0;   // of the channel that is online
  FailuresByCode failures;
  std::atomic<std::uint32_t> parts_running = 0;
  std::atomic<std::uint32_t> parts_accepting = 0; // the last one closes the listening socket

  void failed(const Status &why) {
    setups_failed.fetch_add(1, std::memory_order_relaxed);
    failures.add(why.code);
    const std::lock_guard lock(mutex_);
    last_failure_ = why.message;
  }
  [[nodiscard]] std::string last_failure() const {
    const std::lock_guard lock(mutex_);
    return last_failure_;
  }

private:
  mutable std::mutex mutex_;
  std::string last_failure_;
};

} // namespace culvert
