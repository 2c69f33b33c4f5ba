// The loopback address at which apps reach the endpoint of a sender that names none: one for each
// name, so that the endpoint keeps its port.
//
// Pure functions; safe from any thread.
#pragma once

#include "culvert/config_file.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// The name as it is compared: lower case, without the dot at its end.
std::string endpoint_name(std::string_view host);

/// An address of 127.1.0.0 to 127.255.255.254 for each name (as endpoint_name() gives it), from the
/// name's SHA-256. The same names have the same addresses on every machine. Where two names would
/// have one address, the later in byte order has the next free one.
std::map<std::string, std::string> endpoint_addresses(const std::set<std::string> &names);

/// Whether the endpoint's name leads to this sender: it listens at an IPv4 loopback address, with
/// the endpoint's own port.
bool has_redirected_name(const SenderConfig &sender);

/// What is wrong with an endpoint as a name to redirect into the tunnel through this relay, and
/// what to write; an OK status if nothing is.
Status check_endpoint_name(const HostPort &endpoint, std::string_view relay_host);

/// Gives these senders the address of their endpoint's name and the endpoint's port as `bind`.
/// Their endpoints have passed check_endpoint_name().
void bind_to_endpoints(const std::vector<SenderConfig *> &senders);

} // namespace culvert
