// The names that lead into the tunnel: those of the endpoints of a configuration's senders.
//
// Pure functions.
#pragma once

#include "culvert/config_file.hpp"

#include <map>
#include <string>

namespace culvert::command {

/// IPv4 loopback addresses by name, in lower case without a dot at its end.
using RedirectedNames = std::map<std::string, std::string>;

/// An endpoint's name is redirected where its sender listens at an IPv4 loopback address, with the
/// endpoint's own port.
RedirectedNames redirected_names(const Configuration &configuration);

} // namespace culvert::command
