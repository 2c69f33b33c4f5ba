// What an operator can do about a refusal: adds a sentence to the relay's message, for the log of a
// listener or sender. It is never sent to a peer.
//
// Pure functions; they own nothing.
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
  std::string_view rule; // the rule whose key signed the token; empty: a ready-made token
  const std::vector<Field> &fields; // of the answer
  std::int64_t wall_s;              // now
};

/// The status with the sentence added to its message.
Status advised(Status status, const Refused &refused);
/// The status with a sentence added, for a connection to the relay, or to its proxy, that cannot be
/// made.
Status advised_of_dial(Status status);
/// The status with a note, for a connection to `target`, the address in an offer: it names the
/// setting that gives this address.
Status advised_of_offer(Status status, const LinkDescription &target);

/// "in 0.5 s", or "at once".
std::string in_seconds(std::uint64_t ms);

} // namespace culvert
