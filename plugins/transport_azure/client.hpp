// The client half: what listeners and senders dial, what they send first, what the answer means.
// Failures are thrown (culvert::sdk::Error).
#pragma once

#include "culvert/plugin.hpp"

namespace azure {

culvert_view audience(const culvert_entity_address &entity, culvert::sdk::Arena arena);
void describe_dial(const culvert_dial_request &request, const char *action,
                   culvert::sdk::Arena arena, culvert_link_description &link);
/// The address of the app, for a listener of Culvert. Others ignore the field.
void add_app_address(const culvert_dial_request &request, culvert::sdk::Arena arena,
                     culvert_link_description &link);
/// A dial that allows one listener alone, which nobody is: the relay judges the token and then
/// answers that there is no listener. The field is not documented by Microsoft.
void describe_proof(const culvert_dial_request &request, culvert::sdk::Arena arena,
                    culvert_link_description &link);
void on_channel_message(const culvert::sdk::Host &host, const culvert_message &message,
                        culvert::sdk::Arena arena, culvert_channel_result &result);
void describe_accept(std::string_view offer, culvert::sdk::Arena arena,
                     culvert_link_description &link);
void describe_reject(std::string_view offer, const culvert_status &why, culvert::sdk::Arena arena,
                     culvert_link_description &link);
culvert_message write_renewal(std::string_view token, culvert::sdk::Arena arena);

/// reply.cpp
void on_reply(culvert_purpose purpose, const culvert_reply &reply, culvert_reply_result &result);

} // namespace azure
