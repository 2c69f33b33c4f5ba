// Tracking ids: a GUID, whatever its maker appended, and "_G<n>" for each gateway that it passed.
#pragma once

#include "culvert/plugin.hpp"

#include <string>
#include <string_view>

namespace azure {

/// 8-4-4-4-12 hex digits at the start of `text`.
bool starts_with_guid(std::string_view text);
/// A fresh random GUID, from the host's random service.
std::string fresh_guid(const culvert::sdk::Host &host);
/// The tracking id of a connection: `sent` if it starts with a GUID, else a fresh one, with this
/// gateway's "_G0" behind it.
std::string tracking_id(const culvert::sdk::Host &host, std::string_view sent);
/// The id that a listener keeps: `sent` in lower case without its gateways; empty if it is none.
std::string listener_id(std::string_view sent);

} // namespace azure
