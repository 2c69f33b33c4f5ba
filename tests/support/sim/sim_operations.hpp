// The operations that are in flight in a simulated kernel, and when their outcomes are told.
//
// Used on the one thread that drives the world. A completion belongs to its owner; an operation
// knows it until its last outcome has been handed to the SimIo that armed it. Outcomes of one
// operation keep their order; those of different operations do not, as in a ring.
#pragma once

#include "io/completion.hpp"
#include "io/io.hpp"
#include "support/sim/sim_core.hpp"

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

namespace culvert {

class SimIo;

struct SimOperation {
  enum class Kind : std::uint8_t { kAccept, kConnect, kPoll, kCancel };

  Kind kind = Kind::kPoll;
  SimIo *io = nullptr;
  Completion *completion = nullptr;
  int socket = -1; // of a cancel: none
  Interest interest = Interest::kReadable;
  Address address = {};         // of a connect
  std::deque<Outcome> due = {}; // not yet told
  bool ended = false;           // its last outcome is among those due
};

class SimOperations {
public:
  explicit SimOperations(SimCore &core) : core_(core) {}

  std::uint64_t begin(SimOperation operation);
  /// nullptr when its last outcome has been told.
  [[nodiscard]] SimOperation *find(std::uint64_t id);
  /// The operation of a completion, or 0.
  [[nodiscard]] std::uint64_t of(const Completion &completion) const;
  /// The operation completes so, `after_ns` and a little later.
  void finish(std::uint64_t id, Outcome outcome, SimPhase phase, std::uint64_t after_ns = 0);
  /// The event of a due outcome. Returns the operation's socket if that was the last, else -1.
  int tell(std::uint64_t id);
  [[nodiscard]] std::size_t size() const { return operations_.size(); }

private:
  SimCore &core_;
  std::uint64_t last_id_ = 0;
  // Looked up by key only, never iterated: their order is no part of a run.
  std::unordered_map<std::uint64_t, SimOperation> operations_;
  std::unordered_map<const Completion *, std::uint64_t> by_completion_;
};

} // namespace culvert
