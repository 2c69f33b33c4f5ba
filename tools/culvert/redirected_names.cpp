#include "redirected_names.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>

namespace culvert::command {
namespace {

bool is_loopback(const std::string &host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 &&
         ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

} // namespace

RedirectedNames redirected_names(const Configuration &configuration) {
  RedirectedNames names;
  for (const SenderConfig &sender : configuration.senders) {
    std::string name = sender.endpoint.host;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name.ends_with('.')) {
      name.pop_back();
    }
    const bool leads_here =
        is_loopback(sender.bind.host) && sender.bind.port == sender.endpoint.port;
    if (!name.empty() && leads_here) {
      names.emplace(std::move(name), sender.bind.host);
    }
  }
  return names;
}

} // namespace culvert::command
