// What a running role counts: written by its parts on their shards in set-up and tear-down only,
// read from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace culvert {

struct RoleCounters {
  std::atomic<std::uint64_t> tunnels_open = 0;
  std::atomic<std::uint64_t> tunnels_ended = 0;
  std::atomic<std::uint64_t> tunnels_aborted = 0; // of the ended ones
  std::atomic<std::uint64_t> setups_failed = 0;
  std::atomic<std::uint64_t> bytes_in = 0; // payload towards the target, of ended tunnels
  std::atomic<std::uint64_t> bytes_out = 0;
  std::atomic<std::uint32_t> channels_online = 0; // of a listener: registered at the relay now
  std::atomic<std::uint64_t> channels_lost = 0;
  std::atomic<std::uint32_t> parts_running = 0;
  std::atomic<std::uint32_t> parts_accepting = 0; // the last one closes the listening socket

  void failed(const std::string &sentence) {
    setups_failed.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    last_failure_ = sentence;
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
