// Two links and two pumps, from the moment both ends are joined until both links have ended.
//
// A tunnel belongs to one shard, owns its links and never moves in memory; its owner destroys it
// after `ended` has run, not before. How endings cross: engine/endings.md. Each direction ends by
// itself. An abort on either side ends both, after everything received was sent.
#pragma once

#include "tunnel/pump.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace culvert {

/// One end of a tunnel. `name` is its name in logs: "app", "relay", "target", "sender", "listener";
/// `source` is the Status source of its failures.
struct TunnelSide {
  std::unique_ptr<Link> link;
  const char *name = "";
  Source source = Source::kLocal;
};

/// Who ended a tunnel when none of its sides did: this process.
inline constexpr const char *kByHost = "host";

/// Which side ended a tunnel and why, what it had carried and how long.
struct EndingRecord {
  enum class How : std::uint8_t {
    kFinished, // both directions have finished
    kAborted,  // the side `by` broke the stream
    kDropped   // by this process: the drain grace was over, or an ending stalled
  };
  How how = How::kFinished;
  const char *by = "";    // the side that ended first, or broke; or kByHost
  std::uint16_t code = 0; // the close code, if the first end was a Close
  std::string reason;
  Status status; // of an abort or a drop
  std::uint64_t bytes_from_first = 0;
  std::uint64_t bytes_from_second = 0;
  std::uint64_t duration_ms = 0;
};

std::string_view word(EndingRecord::How how);

/// Sums over many tunnels of one shard, updated while they run: payload received from each side,
/// and the turns of both pumps.
struct TunnelTotals {
  ShardCount *from_first = nullptr;
  ShardCount *from_second = nullptr;
  ShardCount *turns = nullptr;
};

class Tunnel {
public:
  Tunnel(Shard &shard, TunnelSide first, TunnelSide second, Delegate<Tunnel &> ended,
         TunnelTotals totals = {});
  Tunnel(const Tunnel &) = delete;
  Tunnel &operator=(const Tunnel &) = delete;
  ~Tunnel();

  void start();
  /// Aborts both sides after everything received was sent; then `ended` runs.
  void abort(Status why);
  /// Drops both sides at once; then `ended` runs.
  void drop(Status why);

  [[nodiscard]] const EndingRecord &record() const { return record_; }
  /// Bytes that both sides hold because the kernel has not taken them; at most kTunnelHeldBytes.
  [[nodiscard]] std::size_t held() const;

private:
  enum class Phase : std::uint8_t { kStarting, kRunning, kClosing, kAborting, kDropping, kEnded };
  struct Side {
    TunnelSide end;
    Completion ending; // abort or close
    Completion dropping;
    Completion watching;
  };

  void on_pump_changed();
  void note_first_end(const Pump &pump, const Side &from);
  void check_direction(const Pump &pump, const Pump &back, const Side &from, const Side &to);
  void end_with_abort(const Side &by, const Status &why);
  void begin_abort();
  void watch_half_closed();
  void watch_idle();
  void on_watch(Outcome outcome);
  [[nodiscard]] std::pair<std::uint64_t, std::size_t> activity() const;
  void on_idle();
  void on_side_ended(Outcome outcome);
  [[nodiscard]] bool all_ended() const;

  Shard &shard_;
  Side first_;
  Side second_;
  Pump forth_;
  Pump back_;
  Delegate<Tunnel &> ended_;
  Phase phase_ = Phase::kStarting;
  const Side *broke_first_ = nullptr; // the side whose sending direction broke first
  Timer idle_;
  std::pair<std::uint64_t, std::size_t> idle_mark_; // activity() when the timer was armed
  std::uint64_t started_ns_ = 0;
  EndingRecord record_;
};

} // namespace culvert
