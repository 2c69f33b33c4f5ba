// The counters of a running role. Any thread reads them; a role's parts write them on their shards.
//
// They belong to the role, which lives longer than its parts. Counts that change with each turn or
// tunnel are in one row for each shard, which only that shard writes. The others are written in
// set-up and tear-down only.
#pragma once

#include "core/assert.hpp"
#include "core/counts_by_code.hpp"
#include "core/shard_count.hpp"
#include "culvert/status.hpp"
#include "role/setup_times.hpp"
#include "tunnel/tunnel.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace culvert {

/// What the ends of a role's tunnels are called; the first is the app's side.
struct EndNames {
  const char *first;
  const char *second;
};
inline constexpr EndNames kSenderEnds{"app", "relay"};
inline constexpr EndNames kRelayEnds{"sender", "listener"};
inline constexpr EndNames kListenerEnds{"relay", "target"};

/// The tunnels of one role: sums over its shards.
class TunnelCounts {
public:
  /// Who ended a tunnel: one of its ends, or this process.
  enum class Whom : std::uint8_t { kFirst, kSecond, kHost };
  static constexpr std::size_t kHows = static_cast<std::size_t>(EndingRecord::How::kDropped) + 1;
  static constexpr std::size_t kWhoms = static_cast<std::size_t>(Whom::kHost) + 1;

  struct alignas(64) Row { // cache lines of its own: no shard waits for another's additions
    ShardCount bytes_in;   // payload from the app's side towards the target, counted turn by turn
    ShardCount bytes_out;  // the other way
    ShardCount turns;      // that moved bytes, both ways
    ShardCount joined;
    ShardCount moved; // of a relay: joined after a connection moved to another shard
    ShardCount ended;
    std::array<std::array<ShardCount, kWhoms>, kHows> endings; // of the ended ones
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
  [[nodiscard]] std::uint64_t endings(EndingRecord::How how, Whom whom) const {
    std::uint64_t all = 0;
    for (const Row &row : rows_) {
      all += row.endings[static_cast<std::size_t>(how)][static_cast<std::size_t>(whom)].read();
    }
    return all;
  }
  [[nodiscard]] std::uint64_t endings(EndingRecord::How how) const {
    return endings(how, Whom::kFirst) + endings(how, Whom::kSecond) + endings(how, Whom::kHost);
  }
  /// With the dropped ones.
  [[nodiscard]] std::uint64_t aborted() const {
    return endings(EndingRecord::How::kAborted) + dropped();
  }
  [[nodiscard]] std::uint64_t dropped() const { return endings(EndingRecord::How::kDropped); }
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
  CountsByCode failures;
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
