// What a relay asks its plugins before it listens.
//
// Control thread only.
#pragma once

#include "plugin/unit.hpp"
#include "role/relay/policy.hpp"

#include <memory>
#include <string>
#include <vector>

namespace culvert {

/// Asks each protocol what it makes of the shortest head and what a refused peer is told, and the
/// auth plugin for its judgement of a missing token on `path`: any stranger may ask for these. Each
/// answer is right; only a plugin at fault is a failure, which names it. What a listener or a
/// waiting sender is told is not asked, because a protocol knows these by the facts of their heads.
Status check_relay_plugins(const std::vector<std::unique_ptr<Unit>> &protocols, Unit &auth,
                           const RelayPolicy &policy, const std::string &path);

} // namespace culvert
