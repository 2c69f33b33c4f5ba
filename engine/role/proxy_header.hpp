// The header of the PROXY protocol, version 2: the first bytes to a target that wants to know the
// address of the app. A target must be told to expect it, and must then expect it always.
//
// A pure function; any thread.
#pragma once

#include "io/address.hpp"

#include <string>

namespace culvert {

/// The app's address out of "10.0.0.1:80" or "[::1]:80"; of any other text no address.
Address app_address(const std::string &text);

/// With the app as the source and the target as the destination. If the app's address is not known,
/// the header says so (LOCAL), and the target takes the connection for the listener's own. A
/// destination of the other family is written as zeros with its port.
std::string proxy_header(const Address &app, const Address &target);

} // namespace culvert
