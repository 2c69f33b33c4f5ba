// What one instance of a plugin waits for: its watches of descriptors and its timers.
//
// Belongs to one instance, on its shard. Each wait runs its callback at most once, from the shard's
// loop. A watch that is cancelled leaves the kernel later than the call, so it owns itself until
// then; the shard runs until nothing of it is in flight.
#pragma once

#include "core/limits.hpp"
#include "io/shard.hpp"
#include "plugin/call_watch.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace culvert {

class PluginWaits {
public:
  struct Callback {
    void (*function)(void *context) = nullptr;
    void *context = nullptr;
  };

  /// `calls` times the callbacks.
  PluginWaits(Shard &shard, CallWatch &calls);
  PluginWaits(const PluginWaits &) = delete;
  PluginWaits &operator=(const PluginWaits &) = delete;
  ~PluginWaits();

  /// The number of the wait; 0: service.h names the reasons. `descriptor` is duplicated.
  std::uint64_t watch(int descriptor, Interest interest, Callback ready);
  std::uint64_t start_timer(std::uint64_t delay_ms, Callback due);
  /// Each ignores a number that it does not have.
  void cancel_watch(std::uint64_t number);
  void cancel_timer(std::uint64_t number);
  /// Cancels all; returns how many there were. Nothing starts after it.
  std::size_t end();

private:
  class Watch;
  class Alarm;
  template <typename Wait> using Waits = std::unordered_map<std::uint64_t, std::unique_ptr<Wait>>;

  template <typename Wait> static std::unique_ptr<Wait> take(Waits<Wait> &from, std::uint64_t);
  void ready(std::uint64_t number);
  void due(std::uint64_t number);
  void run(const char *name, const Callback &callback);

  Shard &shard_;
  CallWatch &calls_;
  std::uint64_t last_number_ = 0;
  bool ended_ = false;
  /// Those that have a descriptor, also cancelled ones that are still in the kernel.
  std::shared_ptr<std::size_t> open_watches_ = std::make_shared<std::size_t>(0);
  Waits<Watch> watches_;
  Waits<Alarm> timers_;
};

} // namespace culvert
