#include "culvert/config.hpp"

#include <arpa/inet.h>

namespace culvert {
namespace {

bool is_loopback(const std::string &host) {
  in_addr address{};
  return host == "::1" || (inet_pton(AF_INET, host.c_str(), &address) == 1 &&
                           ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET);
}

} // namespace

Status check_admin(const AdminConfig &config) {
  const HostPort &bind = config.bind;
  if (bind.host.empty() || is_loopback(bind.host)) {
    return {};
  }
  return Status::config("'" + bind.text() +
                        "' is no loopback address, and the admin endpoint asks for no token; write "
                        "127.0.0.1:9464, [::1]:9464 or unix:/PATH");
}

} // namespace culvert
