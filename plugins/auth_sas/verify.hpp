// The relay's check of a token against the rules that apply to a path.
#pragma once

#include "culvert/plugin.hpp"

namespace sas {

/// Fills in the results of `record`. How long it takes depends on the number of rules, not on what
/// is wrong with the token.
void verify(const culvert::sdk::Host &host, std::int64_t clock_skew_s, culvert_verify &record);

} // namespace sas
