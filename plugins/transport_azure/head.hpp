// The relay's first look at a connection: from a request head to an intent.
#pragma once

#include "culvert/plugin.hpp"

namespace azure {

void on_head(const culvert::sdk::Host &host, const culvert_head &head, culvert::sdk::Arena arena,
             culvert_intent &intent);

} // namespace azure
