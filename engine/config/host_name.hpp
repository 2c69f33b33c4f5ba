// Faults of a host that need no look-up: such a host can never be reached.
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
/// An IPv4 or IPv6 address in text form, and no name.
bool is_address(const std::string &host);

} // namespace culvert
