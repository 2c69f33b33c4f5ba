// What can be said of a host without a look-up: that nobody can ever reach it.
//
// Pure functions; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

/// What is wrong with it and what to write instead, to stand behind the host; "" if nothing is.
std::string_view host_fault(std::string_view host);
/// Of a relay's host, which tokens and certificates name; also a dot at its end is a fault.
std::string_view relay_host_fault(std::string_view host);

/// An address of this machine alone: 127.0.0.0/8 or ::1.
bool is_loopback(const std::string &host);

} // namespace culvert
