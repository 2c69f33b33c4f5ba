// The relay's side of a control channel: the offer it sends and what a listener says on it.
#pragma once

#include "culvert/plugin.hpp"

namespace azure {

/// {"accept":{...}}; throws what refuses the sender.
culvert_message write_offer(const culvert_offer_request &request, culvert::sdk::Arena arena);

void on_channel_message(const culvert::sdk::Host &host, const culvert_message &message,
                        culvert::sdk::Arena arena, culvert_intent &intent);

} // namespace azure
