// Tracking ids: a GUID, whatever its maker hung on it, and "_G<n>" for each gateway it crossed.
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
/// What names a listener for ever: `sent` in lower case without its gateways; empty if it is none.
std::string listener_id(std::string_view sent);

} // namespace azure
