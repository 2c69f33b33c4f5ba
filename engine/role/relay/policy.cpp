#include "role/relay/policy.hpp"

#include "config/host_name.hpp"
#include "core/limits.hpp"
#include "io/address.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>

namespace culvert {
namespace {

bool is_host(const std::string &name) {
  if (Address::from_literal(name, 0)) {
    return name.front() != '[';
  }
  return !name.empty() && name.size() <= kHostNameBytes && name.front() != '.' &&
         name.front() != '-' && name.find("..") == std::string::npos &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

} // namespace

Status RelayPolicy::check_names(const std::vector<std::string> &names) {
  if (names.empty()) {
    return Status::config("the relay has no name: give at least one host name or address that "
                          "listeners and senders dial");
  }
  std::unordered_set<std::string> known;
  for (const std::string &name : names) {
    if (!is_host(name)) {
      return Status::config("relay name '" + loggable(name) +
                            "': write a host name or an IP address alone, without scheme, port, "
                            "brackets or '*'");
    }
    if (const std::string_view fault = relay_host_fault(name); !fault.empty()) {
      return Status::config("relay name '" + name + "' " + std::string(fault));
    }
    if (!known.insert(lower_case(name)).second) {
      return Status::config("relay name '" + name +
                            "' is given twice (case does not count): "
                            "remove one of them");
    }
  }
  return {};
}

Status RelayPolicy::check(const RelayOptions &options) {
  if (Status status = check_names(options.names); !status.ok()) {
    return status;
  }
  if (options.entities.empty()) {
    return Status::config("the relay has no entity: give at least one path");
  }
  Status status = EntityTable::check(options.entities);
  if (status.ok()) {
    status = EntityTable::check_rules(options.own_rules);
  }
  return status.ok() ? check_limits(options.limits) : status;
}

RelayPolicy::RelayPolicy(RelayOptions options)
    : options_(std::move(options)), entities_(options_.entities, options_.own_rules) {
  CULVERT_ASSERT(!options_.names.empty());
}

Authority RelayPolicy::public_address(std::string_view authority, std::uint16_t bound_port) const {
  if (!options_.public_host.empty()) {
    return {options_.public_host,
            options_.public_port == 0 ? std::uint16_t{443} : options_.public_port};
  }
  Authority dialled = parse_authority(authority);
  for (const std::string &name : options_.names) {
    if (!dialled.host.empty() && lower_case(name) == lower_case(dialled.host)) {
      return dialled;
    }
  }
  return {options_.names.front(), bound_port};
}

} // namespace culvert
