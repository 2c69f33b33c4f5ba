// The relay's side of a control channel: the offer it sends and what a listener says on it.
#pragma once

#include "culvert/plugin.hpp"

namespace azure {

/// Writes {"accept":{...}}. What it throws is told to the sender.
culvert_message write_offer(const culvert_offer_request &request, culvert::sdk::Arena arena);

/// Why the relay ends a control channel, as a Close: with the codes of RFC 6455, section 7.4.1;
/// 1001 for an entity that is gone, 1008 for tokens and 1011, as the service uses them.
void write_close(const culvert_status &why, culvert::sdk::Arena arena, culvert_answer &answer);

void on_channel_message(const culvert::sdk::Host &host, const culvert_message &message,
                        culvert::sdk::Arena arena, culvert_intent &intent);

} // namespace azure
