#include "events.hpp"

#include "core/assert.hpp"

namespace culvert::simtest {

namespace {

using Kind = EventKind;

constexpr EventTraits kTraits[kEventKinds] = {
    {Kind::kKillByReset, "relay_kills_by_reset", 100, false, false, false},
    {Kind::kKillByFin, "relay_kills_by_fin", 100, false, false, false},
    {Kind::kCut, "path_cuts", 100, false, false, false},
    {Kind::kLose, "silent_losses", 100, false, false, false},
    {Kind::kReloadRules, "reloads_of_rules", 50, true, true, false},
    {Kind::kRemoveEntity, "entities_removed", 25, true, false, false},
    {Kind::kReplaceCertificate, "certificates_replaced", 15, true, true, false},
    {Kind::kReloadClients, "reloads_of_clients", 50, true, true, false},
    {Kind::kRotateAtClients, "key_rotations_at_clients", 50, true, false, false},
    {Kind::kRotateAtRelay, "key_rotations_at_the_relay", 50, true, true, false},
    {Kind::kRemoveRule, "rules_removed", 20, true, false, true},
    {Kind::kEndToken, "tokens_ended", 20, true, false, true},
    {Kind::kStopListener, "listeners_replaced", 20, false, false, true},
    {Kind::kJumpClock, "clock_jumps_that_last", 50, true, false, false},
    {Kind::kMoveRelay, "relay_moves", 20, false, false, false},
    {Kind::kNameFails, "names_without_address", 25, false, false, false},
    {Kind::kNameSilent, "names_without_answer", 25, false, false, false},
    {Kind::kNameDead, "names_with_a_dead_address", 25, false, false, false},
    {Kind::kNameDeadFirst, "names_with_one_dead_address", 20, false, false, true},
    {Kind::kProxyRefuses, "proxy_refuses", 10, false, false, false},
    {Kind::kProxySilent, "proxy_is_silent", 10, false, false, false},
    {Kind::kProxyCuts, "proxy_cuts", 10, false, false, false},
};

} // namespace

const EventTraits &traits(EventKind kind) {
  const EventTraits &found = kTraits[static_cast<std::size_t>(kind)];
  CULVERT_ASSERT(found.kind == kind);
  return found;
}

} // namespace culvert::simtest
