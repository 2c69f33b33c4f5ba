// The DNS responder of a process, as its configuration says.
//
// One thread: that of the command.
#pragma once

#include "culvert/config_file.hpp"
#include "dns/responder.hpp"

#include <memory>

namespace culvert::command {

/// None where the configuration has none. It knows no name yet. Throws a Refusal when it cannot
/// listen.
std::unique_ptr<dns::Responder> start_responder(const DnsConfig &config, Log &log);
/// The name servers that the configuration, or else the system, names: without the responder
/// itself, which the system may name. A failure says why they are not known.
Result<std::vector<HostPort>> upstreams_of(const DnsConfig &config);
/// From now on the responder leads the names of these senders to them.
void lead_names(dns::Responder &responder, const Configuration &configuration,
                const std::vector<HostPort> &upstreams);

} // namespace culvert::command
