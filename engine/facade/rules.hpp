// From an embedder's rules to the engine's: the secrets go into the store for as long
// as the lease lives, references stay.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/config.hpp"
#include "plugin/kinds.hpp"

#include <vector>

namespace culvert {

std::vector<Rule> to_rules(const std::vector<RuleConfig> &rules, SecretLease &secrets);

} // namespace culvert
