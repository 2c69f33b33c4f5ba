#include "support/sim/sim_network.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {

namespace {

constexpr std::uint16_t kFirstFreePort = 32'768;

bool is_loopback(const Address &address) {
  if (address.family == Address::Family::kIpv4) {
    return address.bytes[0] == 127;
  }
  return address.host() == "::1";
}

Address any_address_like(const Address &address) {
  Address any;
  any.family = address.family;
  any.port = address.port;
  return any;
}

} // namespace

int SimNetwork::host(std::string_view address) {
  const std::optional<Address> parsed = Address::from_literal(address, 0);
  CULVERT_ASSERT(parsed.has_value());
  const auto found = std::find(hosts_.begin(), hosts_.end(), *parsed);
  if (found != hosts_.end()) {
    return static_cast<int>(found - hosts_.begin());
  }
  hosts_.push_back(*parsed);
  return static_cast<int>(hosts_.size()) - 1;
}

int SimNetwork::route(int from, const Address &to) const {
  if (to.family == Address::Family::kUnix || is_loopback(to)) {
    return from;
  }
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    if (hosts_[index].family == to.family && hosts_[index].bytes == to.bytes) {
      return static_cast<int>(index);
    }
  }
  return -1;
}

Address SimNetwork::source(int from, const Address &to) const {
  Address address = to;
  address.path.clear();
  if (to.family != Address::Family::kUnix && !is_loopback(to)) {
    address = hosts_[static_cast<std::size_t>(from)];
  }
  address.port = 0;
  return address;
}

std::uint16_t SimNetwork::free_port() {
  if (++next_port_ < kFirstFreePort) {
    next_port_ = kFirstFreePort;
  }
  return next_port_;
}

int SimNetwork::bind(int host, Address &address, int socket) {
  const bool any = address == any_address_like(address);
  if (address.family != Address::Family::kUnix && !any && route(host, address) != host) {
    return EADDRNOTAVAIL;
  }
  if (address.family != Address::Family::kUnix && address.port == 0) {
    do {
      address.port = free_port();
    } while (listener(host, address) >= 0);
  }
  if (listener(host, address) >= 0 || known_path(host, address.path)) {
    return EADDRINUSE;
  }
  bound_[{host, address.text()}] = socket;
  if (address.family == Address::Family::kUnix) {
    paths_.insert({host, address.path});
  }
  return 0;
}

void SimNetwork::release(int host, const Address &address) {
  bound_.erase({host, address.text()});
}

int SimNetwork::listener(int host, const Address &address) const {
  auto found = bound_.find({host, address.text()});
  if (found == bound_.end() && address.family != Address::Family::kUnix) {
    found = bound_.find({host, any_address_like(address).text()});
  }
  return found == bound_.end() ? -1 : found->second;
}

bool SimNetwork::known_path(int host, const std::string &path) const {
  return paths_.count({host, path}) > 0;
}

} // namespace culvert
