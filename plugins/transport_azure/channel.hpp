// The relay's side of a control channel: the offer it sends and what a listener says on it.
#pragma once

#include "culvert/relay.h"

namespace azure {

/// {"accept":{...}}, or 0 with a status that refuses the sender.
uint32_t write_offer(const culvert_offer_request &request, culvert_arena *arena,
                     culvert_message &message, culvert_status *error);

void on_channel_message(const culvert_host *host, const culvert_message &message,
                        culvert_arena *arena, culvert_intent &intent);

} // namespace azure
