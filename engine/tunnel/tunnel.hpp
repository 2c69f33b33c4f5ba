// Two links and two pumps, from the moment both ends are joined until nothing of them is left.
//
// A tunnel belongs to one shard, owns its links and never moves in memory; its owner destroys it
// after `ended` has run, not before. How endings cross is design section 5: each direction ends by
// itself; an abort on either side, once what had been received is sent, aborts both.
#pragma once

#include "tunnel/pump.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace culvert {

/// One end of a tunnel. `name` is the word for it in logs: "app", "relay", "target", "sender",
/// "listener"; `source` is what its failures are put down to.
struct TunnelSide {
  std::unique_ptr<Link> link;
  const char *name = "";
  Source source = Source::kLocal;
};

/// Who ended a tunnel, and why.
struct EndingRecord {
  enum class How : std::uint8_t {
    kFinished, // both directions, each by its own writer
    kAborted,  // the stream was broken by `by`
    kDropped   // by ourselves: end of the drain grace, or a stalled ending
  };
  How how = How::kFinished;
  const char *by = "";    // the side that ended first, or broke
  std::uint16_t code = 0; // of the Close that was the first ending of all, if it was one
  std::string reason;
  Status status; // of an abort or a drop
  std::uint64_t bytes_from_first = 0;
  std::uint64_t bytes_from_second = 0;
  std::uint64_t duration_ms = 0;
};

std::string_view word(EndingRecord::How how);

/// Sums over many tunnels of one shard that grow while these live: payload received from each side.
struct TunnelTotals {
  ShardCount *from_first = nullptr;
  ShardCount *from_second = nullptr;
};

class Tunnel {
public:
  Tunnel(Shard &shard, TunnelSide first, TunnelSide second, Delegate<Tunnel &> ended,
         TunnelTotals totals = {});
  Tunnel(const Tunnel &) = delete;
  Tunnel &operator=(const Tunnel &) = delete;
  ~Tunnel();

  void start();
  /// Ends both sides as broken, behind what had been received; `ended` follows.
  void abort(Status why);
  /// Ends both sides at once; `ended` follows.
  void drop(Status why);

  [[nodiscard]] const EndingRecord &record() const { return record_; }
  /// Bytes both sides hold because a kernel did not take them; at most kTunnelHeldBytes.
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
  const Side *broke_first_ = nullptr; // its sending direction
  Timer idle_;
  std::pair<std::uint64_t, std::size_t> idle_mark_; // activity() when the timer was armed
  std::uint64_t started_ns_ = 0;
  EndingRecord record_;
};

} // namespace culvert
