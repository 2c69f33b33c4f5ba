// The relay's first look at a connection: from a request head to an intent.
#pragma once

#include "culvert/relay.h"

namespace azure {

void on_head(const culvert_host *host, const culvert_head &head, culvert_arena *arena,
             culvert_intent &intent);

} // namespace azure
