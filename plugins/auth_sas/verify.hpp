// The relay's check of a token against the rules that apply to a path.
#pragma once

#include "culvert/plugin.hpp"

namespace sas {

/// Fills in the results of `record`. Takes time in proportion to the rules given, not to what in
/// the token is wrong.
void verify(const culvert::sdk::Host &host, culvert_verify &record);

} // namespace sas
