// Reports slow calls into a plugin, because a plugin function blocks its whole shard.
//
// Belongs to one instance or unit and is used on its thread. It owns only its counts. A call is
// timed from watch() to the end of the scope of the returned Call. At most one warning in
// kSlowCallLogMs is written; it counts the slow calls since the one before.
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "culvert/log.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace culvert {

class CallWatch {
public:
  CallWatch(const Clock &clock, Log &log, std::string_view plugin_id)
      : clock_(clock), log_(log), plugin_id_(plugin_id) {}
  CallWatch(const CallWatch &) = delete;
  CallWatch &operator=(const CallWatch &) = delete;

  class Call {
  public:
    Call(CallWatch &owner, const char *function)
        : owner_(owner), function_(function), start_ns_(owner.clock_.now_ns()) {}
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    ~Call() { owner_.ended(function_, start_ns_); }

  private:
    CallWatch &owner_;
    const char *function_;
    std::uint64_t start_ns_;
  };
  [[nodiscard]] Call watch(const char *function) { return {*this, function}; }

private:
  static constexpr std::uint64_t kNsPerMs = 1'000'000;

  void ended(const char *function, std::uint64_t start_ns) {
    const std::uint64_t now_ns = clock_.now_ns();
    const std::uint64_t took_ms = (now_ns - start_ns) / kNsPerMs;
    if (took_ms <= kSlowCallMs) {
      return;
    }
    ++slow_;
    if (now_ns < quiet_until_ns_) {
      return;
    }
    quiet_until_ns_ = now_ns + kSlowCallLogMs * kNsPerMs;
    log_.write(LogLevel::kWarn,
               "a plugin's function took long; every connection of its shard waited for it",
               {{"plugin", std::string(plugin_id_)},
                {"function", function},
                {"took_ms", std::to_string(took_ms)},
                {"slow_calls", std::to_string(slow_)}});
    slow_ = 0;
  }

  const Clock &clock_;
  Log &log_;
  const std::string_view plugin_id_;
  std::uint64_t quiet_until_ns_ = 0;
  std::uint64_t slow_ = 0; // since the last warning
};

} // namespace culvert
