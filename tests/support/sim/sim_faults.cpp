#include "support/sim/sim_faults.hpp"

#include "core/assert.hpp"

#include <initializer_list>

namespace culvert {

namespace {

constexpr std::array<std::string_view, kSimFaultKinds> kFaultWords = {
    "short_read",
    "short_write",
    "delayed_delivery",
    "clogged_link",
    "reset",
    "half_open",
    "no_buffers_on_send",
    "no_buffers_on_receive",
    "no_buffers_on_poll",
    "no_buffers_on_connect",
    "no_descriptor_on_open",
    "no_descriptor_on_accept",
    "connect_refused",
    "connect_unreachable",
    "connect_timeout",
    "late_completion",
    "reordered_completion",
    "cancel_race",
    "clock_jump",
    "spurious_wake",
};
constexpr std::array<std::string_view, kSimPhases> kPhaseWords = {"set_up", "stream", "closing",
                                                                  "none"};

std::size_t index_of(SimFault fault) {
  return static_cast<std::size_t>(fault);
}

std::size_t index_of(SimPhase phase) {
  return static_cast<std::size_t>(phase);
}

} // namespace

std::string_view word(SimFault fault) {
  return kFaultWords.at(index_of(fault));
}

std::string_view word(SimPhase phase) {
  return kPhaseWords.at(index_of(phase));
}

SimFaults &SimFaults::set(SimFault fault, std::uint32_t per_million) {
  CULVERT_ASSERT(per_million <= 1'000'000);
  per_million_.at(index_of(fault)) = per_million;
  return *this;
}

SimFaults SimFaults::all(std::uint32_t per_million) {
  SimFaults faults;
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    faults.set(static_cast<SimFault>(kind), per_million);
  }
  return faults;
}

SimFaults SimFaults::harmless(std::uint32_t per_million) {
  SimFaults faults = all(per_million);
  for (const SimFault fault :
       {SimFault::kReset, SimFault::kHalfOpen, SimFault::kNoBuffersOnConnect,
        SimFault::kNoDescriptorOnOpen, SimFault::kNoDescriptorOnAccept, SimFault::kConnectRefused,
        SimFault::kConnectUnreachable, SimFault::kConnectTimeout}) {
    faults.set(fault, 0);
  }
  return faults;
}

std::uint32_t SimFaults::rate(SimFault fault) const {
  return per_million_[index_of(fault)];
}

void SimFaultCounts::add(SimFault fault, SimPhase phase) {
  ++counts_[index_of(fault)][index_of(phase)];
}

std::uint64_t SimFaultCounts::of(SimFault fault, SimPhase phase) const {
  return counts_[index_of(fault)][index_of(phase)];
}

std::uint64_t SimFaultCounts::of(SimFault fault) const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_[index_of(fault)]) {
    sum += count;
  }
  return sum;
}

void SimFaultCounts::add(const SimFaultCounts &other) {
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    for (std::size_t phase = 0; phase < kSimPhases; ++phase) {
      counts_[kind][phase] += other.counts_[kind][phase];
    }
  }
}

std::string SimFaultCounts::text() const {
  std::string text;
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    text += kFaultWords[kind];
    for (const std::uint64_t count : counts_[kind]) {
      text += ' ' + std::to_string(count);
    }
    text += '\n';
  }
  return text;
}

} // namespace culvert
