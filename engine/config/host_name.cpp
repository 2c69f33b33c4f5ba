#include "config/host_name.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>

namespace culvert {
namespace {

/// Four numbers with dots between them.
bool looks_like_ipv4(std::string_view host) {
  const bool digits = std::all_of(host.begin(), host.end(),
                                  [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
  return digits && std::count(host.begin(), host.end(), '.') == 3 && !host.starts_with('.') &&
         !host.ends_with('.') && host.find("..") == std::string_view::npos;
}

} // namespace

std::string_view host_fault(std::string_view host) {
  if (host.find('*') != std::string_view::npos) {
    return "has a '*'; write the name or address of one host";
  }
  if (host.find('\\') != std::string_view::npos) {
    return "has a '\\'; write HOST:PORT: a named instance has a port of its own";
  }
  in_addr address{};
  if (looks_like_ipv4(host) && inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) {
    return "looks like an IP address and is none; write four numbers of 0 to 255";
  }
  return "";
}

std::string_view relay_host_fault(std::string_view host) {
  return host.ends_with('.') ? "ends with a dot; write it without" : host_fault(host);
}

bool is_loopback(const std::string &host) {
  in_addr address{};
  return host == "::1" || (inet_pton(AF_INET, host.c_str(), &address) == 1 &&
                           ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET);
}

bool is_address(const std::string &host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

} // namespace culvert
