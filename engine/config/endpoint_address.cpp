#include "config/endpoint_address.hpp"

#include "config/host_name.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <arpa/inet.h>
#include <cctype>
#include <cstdint>

namespace culvert {
namespace {

/// 127.0.0.0/16 is left out: systems use addresses of it.
constexpr std::uint32_t kFirstAddress = 0x7F010000;
/// 127.255.255.255 is the broadcast address.
constexpr std::uint32_t kAddresses = 0x7FFFFFFF - kFirstAddress;

/// Where the search for the name's address begins.
std::uint32_t first_place(Digests &digests, const std::string &name) {
  const Sha256Bytes digest = digests.sha256(bytes_of(name));
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = number << 8U | std::to_integer<std::uint32_t>(digest[i]);
  }
  return number % kAddresses;
}

std::string address_text(std::uint32_t place) {
  const in_addr address{htonl(kFirstAddress + place)};
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &address, text, sizeof text);
}

/// Labels of 1 to 63 letters, digits, '-' and '_', 253 characters in all (RFC 1035, section 2.3.4).
bool is_dns_name(std::string_view name) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  std::size_t label = 0;
  for (const char letter : name) {
    const bool in_label =
        std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_';
    if (in_label ? ++label > kLongestLabel : letter != '.' || label == 0) {
      return false;
    }
    label = in_label ? label : 0;
  }
  return label != 0 && name.size() <= kLongestName;
}

} // namespace

std::string endpoint_name(std::string_view host) {
  return lower_case(host.substr(0, host.size() - (host.ends_with('.') ? 1 : 0)));
}

std::map<std::string, std::string> endpoint_addresses(const std::set<std::string> &names) {
  Digests digests;
  std::set<std::uint32_t> taken;
  std::map<std::string, std::string> addresses;
  for (const std::string &name : names) {
    std::uint32_t place = first_place(digests, name);
    while (!taken.insert(place).second) {
      place = (place + 1) % kAddresses;
    }
    addresses.emplace(name, address_text(place));
  }
  return addresses;
}

bool has_redirected_name(const SenderConfig &sender) {
  const std::string &host = sender.bind.host;
  return !sender.endpoint.host.empty() && !is_address(sender.endpoint.host) &&
         sender.bind.port == sender.endpoint.port && host.starts_with("127.") && is_loopback(host);
}

std::map<std::string, std::string> redirected_names(const std::vector<SenderConfig> &senders) {
  std::map<std::string, std::string> names;
  for (const SenderConfig &sender : senders) {
    if (has_redirected_name(sender)) {
      names.emplace(endpoint_name(sender.endpoint.host), sender.bind.host);
    }
  }
  return names;
}

Status check_endpoint_name(const HostPort &endpoint, std::string_view relay_host) {
  const std::string name = endpoint_name(endpoint.host);
  const auto wrong = [&endpoint](std::string_view rest) {
    return Status::config("endpoint '" + endpoint.text() + "' " + std::string(rest));
  };
  if (!endpoint.unix_path.empty() || is_address(endpoint.host)) {
    return wrong("has no name that apps look up; write where they connect as bind");
  }
  if (!is_dns_name(name)) {
    return wrong("has a name that DNS does not know; write letters, digits, '-' and '_' between "
                 "the dots, at most 63 in a row");
  }
  if (name == "localhost" || name.ends_with(".localhost")) {
    return wrong("is this machine for every app (RFC 6761); write another name, or where apps "
                 "connect as bind");
  }
  if (name == lower_case(relay_host)) {
    return wrong("is the relay itself, whose name must keep its address; write where apps connect "
                 "as bind");
  }
  return {};
}

void bind_to_endpoints(const std::vector<SenderConfig *> &senders) {
  std::set<std::string> names;
  for (const SenderConfig *sender : senders) {
    names.insert(endpoint_name(sender->endpoint.host));
  }
  const std::map<std::string, std::string> addresses = endpoint_addresses(names);
  for (SenderConfig *sender : senders) {
    sender->bind = {addresses.at(endpoint_name(sender->endpoint.host)), sender->endpoint.port, ""};
  }
}

} // namespace culvert
