#include "io/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <utility>

namespace culvert {

Address Address::unix_path(std::string path) {
  Address address;
  address.family = Family::kUnix;
  address.path = std::move(path);
  return address;
}

Address Address::loopback(std::uint16_t port) {
  Address address;
  address.family = Family::kIpv4;
  address.bytes = {127, 0, 0, 1};
  address.port = port;
  return address;
}

std::optional<Address> Address::from_literal(std::string_view host, std::uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const std::string text(host);
  Address address;
  address.port = port;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.family = Family::kIpv4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.family = Family::kIpv6;
    return address;
  }
  return std::nullopt;
}

std::string Address::host() const {
  if (family == Family::kUnix) {
    return path;
  }
  if (family == Family::kNone) {
    return "";
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == Family::kIpv4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string Address::text() const {
  switch (family) {
  case Family::kNone:
    return "none";
  case Family::kUnix:
    return "unix:" + path;
  case Family::kIpv4:
    return host() + ":" + std::to_string(port);
  case Family::kIpv6:
    return "[" + host() + "]:" + std::to_string(port);
  }
  return "none";
}

} // namespace culvert
