// Converts an embedder's rules to the engine's: the secrets are in the store as long as the lease
// exists, and the rules keep references.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/config.hpp"
#include "plugin/kinds.hpp"

#include <vector>

namespace culvert {

std::vector<Rule> to_rules(const std::vector<RuleConfig> &rules, SecretLease &secrets);

} // namespace culvert
