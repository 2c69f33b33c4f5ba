// The client half: what listeners and senders dial, what they say first, what comes back.
#pragma once

#include "culvert/transport.h"

namespace azure {

uint32_t audience(const culvert_entity_address &entity, culvert_arena *arena, culvert_view *result,
                  culvert_status *error);
uint32_t describe_dial(const culvert_dial_request &request, const char *action,
                       culvert_arena *arena, culvert_link_description &link, culvert_status *error);
uint32_t on_channel_message(const culvert_host *host, const culvert_message &message,
                            culvert_arena *arena, culvert_channel_result &result,
                            culvert_status *error);
uint32_t describe_accept(culvert_view offer, culvert_arena *arena, culvert_link_description &link,
                         culvert_status *error);
uint32_t describe_reject(culvert_view offer, const culvert_status &why, culvert_arena *arena,
                         culvert_link_description &link, culvert_status *error);
uint32_t write_renewal(culvert_view token, culvert_arena *arena, culvert_message &message);

/// reply.cpp
void on_reply(uint32_t purpose, const culvert_reply &reply, culvert_reply_result &result,
              culvert_status *error);

} // namespace azure
