// What others need to know of connection strings besides ConnectionString itself.
//
// A pure function; safe from any thread.
#pragma once

#include <string_view>

namespace culvert {

/// A connection string, or a part of one with its key: it must not be repeated in a message.
bool holds_connection_string(std::string_view text);

} // namespace culvert
