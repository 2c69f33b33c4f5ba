// Moves chunks one way, from one link to another. The same type serves every direction of every
// role.
//
// A pump belongs to a shard and to its tunnel; it owns only its own operations and never moves in
// memory. In each turn the source's chunks go to the sink one after the other, then one send
// follows. Back-pressure: while the sink holds bytes, the source is not armed. A turn is at most as
// large as the room in the shard's byte budget, and at least kMinTurnBytes: a direction whose sink
// holds nothing never waits for the bytes of another one.
#pragma once

#include "core/shard_count.hpp"
#include "link/link.hpp"

#include <cstdint>

namespace culvert {

/// Sums over many pumps of one shard, which grow turn by turn; each may be absent.
struct PumpTotals {
  ShardCount *bytes = nullptr;
  ShardCount *turns = nullptr; // that moved bytes
};

class Pump {
public:
  enum class State : std::uint8_t {
    kIdle,      // not started, or stopped
    kFlowing,   // the source is armed, or waits for the sink
    kFinishing, // the source has finished; its end is being sent to the sink
    kDone,      // the sink's kernel has the end
    kAborted,   // the source was broken: why_aborted() says how
    kBroken     // the sink was broken: sink().broken() says how; the source is not read any more
  };

  /// `changed` runs after each change of state, never inside a call of the tunnel.
  Pump(Shard &shard, Link &source, Link &sink, Delegate<> changed, PumpTotals totals = {});
  Pump(const Pump &) = delete;
  Pump &operator=(const Pump &) = delete;

  void start();
  /// Arms no receive any more. An operation that is still armed completes when its link is aborted
  /// or dropped.
  void stop() { state_ = State::kIdle; }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool in_flight() const;
  [[nodiscard]] Link &source() const { return source_; }
  [[nodiscard]] Link &sink() const { return sink_; }
  /// Why the state is kAborted. Also set for an end with a failure code or inside a message, if the
  /// sink can only send a plain end.
  [[nodiscard]] Status why_aborted() const;
  /// Payload bytes given to the sink.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Turns that moved bytes; a tunnel is silent while this number does not change.
  [[nodiscard]] std::uint64_t turns() const { return turns_; }

private:
  void arm();
  void on_receive(Outcome outcome);
  void turn();
  void on_drain(Outcome outcome);
  void on_finish(Outcome outcome);
  void become(State state);
  [[nodiscard]] bool hides_a_failure(const Ending &end) const;

  Shard &shard_;
  Link &source_;
  Link &sink_;
  Delegate<> changed_;
  Take how_;
  State state_ = State::kIdle;
  bool carries_ends_ = false;   // LinkFacts of the sink
  bool inside_message_ = false; // the source has sent only a part of a message
  std::uint64_t bytes_ = 0;
  const PumpTotals totals_;
  std::uint64_t turns_ = 0;
  Completion receive_;
  Completion drain_;
  Completion finish_;
};

} // namespace culvert
