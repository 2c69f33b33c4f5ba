// The addresses of the DNS responder and of the name servers that it asks.

#include "config/host_name.hpp"
#include "config/reading.hpp"

namespace culvert {
namespace {

constexpr std::uint16_t kDnsPort = 53;

} // namespace

Result<SettingValue> read_loopbacks(const Reading &reading) {
  const Result<std::vector<std::string>> items = list_of(reading);
  if (!items.ok()) {
    return items.status();
  }
  SettingValue value;
  for (const std::string &text : items.value()) {
    const Result<HostPort> parsed = HostPort::parse(text, "");
    if (!parsed.ok() || parsed.value().port == 0 || !parsed.value().unix_path.empty()) {
      return reading.wrong(text, "is not ADDRESS:PORT; write 127.0.0.153:53");
    }
    if (!is_loopback(parsed.value().host)) {
      return reading.wrong(text, "is no loopback address, and the answers are for this machine "
                                 "alone; write 127.0.0.153:53");
    }
    value.addresses.push_back(parsed.value());
  }
  return value;
}

Result<SettingValue> read_name_servers(const Reading &reading) {
  const Result<std::vector<std::string>> items = list_of(reading);
  if (!items.ok()) {
    return items.status();
  }
  SettingValue value;
  for (const std::string &text : items.value()) {
    const Result<HostPort> parsed = HostPort::parse(text, "");
    const HostPort server = parsed.ok() ? parsed.value() : HostPort{text, kDnsPort, ""};
    if (!is_address(server.host) || server.port == 0) {
      return reading.wrong(text, "is no address of a name server; write 10.0.0.2, 10.0.0.2:5353 "
                                 "or [fd00::2]:53");
    }
    value.addresses.push_back(server);
  }
  return value;
}

} // namespace culvert
