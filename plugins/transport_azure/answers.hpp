// The relay's answers: which HTTP status and which sentence, in the service's own words, because
// clients show nothing else and Microsoft's tests match parts of them.
#pragma once

#include "facts.hpp"

#include "culvert/plugin.hpp"

#include <string>
#include <string_view>

namespace azure {

/// The longest reason phrase that the engine sends and clients read.
inline constexpr std::size_t kReasonBytes = 512;

struct Refusal {
  std::uint32_t status = 0;
  std::string sentence = {};
};

/// What a connection is told because of a failure.
Refusal refusal_of(const Facts &facts, const culvert_status &why);

/// The sentence, then TrackingId, SystemTracker and Timestamp as the service writes them.
void write_refusal(const culvert::sdk::Host &host, const Facts &facts, const Refusal &refusal,
                   culvert::sdk::Arena arena, culvert_answer &answer);
/// A refusal by the listener: its own status and reason, with nothing added.
void write_rejection(std::uint32_t status, std::string_view description, culvert::sdk::Arena arena,
                     culvert_answer &answer);
/// 410: tells the listener that its refusal was taken.
void write_gone(culvert::sdk::Arena arena, culvert_answer &answer);
/// 101, with a sub-protocol where the listener chose one.
void write_switching(std::string_view protocol, culvert::sdk::Arena arena, culvert_answer &answer);

} // namespace azure
