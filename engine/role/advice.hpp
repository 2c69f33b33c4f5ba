// What an operator can do about a refusal: a sentence of ours behind what the relay said, for the
// log of a listener or sender. No peer is told.
//
// Pure functions; they keep nothing.
#pragma once

#include "culvert/status.hpp"
#include "link/description.hpp"
#include "plugin/kinds.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// A connection to an entity that its relay refused.
struct Refused {
  Purpose purpose;
  const EntityAddress &entity;
  std::string_view rule;            // whose key signed the token; empty: a ready token
  const std::vector<Field> &fields; // of the answer
  std::int64_t wall_s;              // now
};

/// The status with the sentence behind its message.
Status advised(Status status, const Refused &refused);
/// Of a connection to where an offer pointed, `target`: whose setting that address is.
Status advised_of_offer(Status status, const LinkDescription &target);

/// "in 0.5 s", or "at once".
std::string in_seconds(std::uint64_t ms);

} // namespace culvert
