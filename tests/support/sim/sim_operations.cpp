#include "support/sim/sim_operations.hpp"

#include "support/sim/sim_io.hpp"

#include <utility>

namespace culvert {

std::uint64_t SimOperations::begin(SimOperation operation) {
  const std::uint64_t id = ++last_id_;
  by_completion_[operation.completion] = id;
  operations_.emplace(id, std::move(operation));
  return id;
}

SimOperation *SimOperations::find(std::uint64_t id) {
  const auto found = operations_.find(id);
  return found == operations_.end() ? nullptr : &found->second;
}

std::uint64_t SimOperations::of(const Completion &completion) const {
  const auto found = by_completion_.find(&completion);
  return found == by_completion_.end() ? 0 : found->second;
}

void SimOperations::finish(std::uint64_t id, Outcome outcome, SimPhase phase,
                           std::uint64_t after_ns) {
  SimOperation *operation = find(id);
  CULVERT_ASSERT(operation != nullptr && !operation->ended);
  operation->due.push_back(outcome);
  operation->ended = !outcome.more;
  std::uint64_t delay_ns = after_ns + 100 + core_.random.below(1'000);
  if (core_.strikes(SimFault::kLateCompletion, phase)) {
    delay_ns += core_.random.below(kSimLongestDelayNs);
  }
  if (core_.strikes(SimFault::kReorderedCompletion, phase)) {
    delay_ns += kSimWakeNs + core_.random.below(20 * kSimWakeNs);
  }
  // Each event tells the oldest outcome of the operation, so drawing the delays keeps the order.
  core_.after(delay_ns, SimEvent::Kind::kOutcome, id);
}

int SimOperations::tell(std::uint64_t id) {
  SimOperation *operation = find(id);
  CULVERT_ASSERT(operation != nullptr && !operation->due.empty());
  const Outcome outcome = operation->due.front();
  operation->due.pop_front();
  core_.trace.mix(id);
  core_.trace.mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(outcome.result)));
  operation->io->finished(*operation->completion, outcome);
  if (outcome.more) {
    return -1;
  }
  const int socket = operation->socket;
  by_completion_.erase(operation->completion);
  operations_.erase(id);
  return socket;
}

} // namespace culvert
