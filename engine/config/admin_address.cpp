#include "config/host_name.hpp"
#include "culvert/config.hpp"

namespace culvert {

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
