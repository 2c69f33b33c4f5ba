// Addresses: where to listen, what to dial, and the name servers of the DNS responder.

#include "config/host_name.hpp"
#include "config/reading.hpp"
#include "core/limits.hpp"

#include <filesystem>

namespace culvert {
namespace {

constexpr std::uint16_t kDnsPort = 53;

/// `form` says what it must look like. In a file, the relative path of a unix socket begins in the
/// file's folder, as every path does.
Result<HostPort> address_of(const Reading &reading, const std::string &text,
                            const std::string &form) {
  constexpr std::string_view kUnix = "unix:";
  std::string whole = text;
  if (text.starts_with(kUnix) && text.size() > kUnix.size() &&
      !reading.secrets.policy().folder.empty()) {
    const std::filesystem::path path = reading.secrets.located(text.substr(kUnix.size()));
    whole = kUnix;
    whole += std::filesystem::absolute(path).lexically_normal().string();
  }
  Result<HostPort> address = HostPort::parse(whole, "");
  if (!address.ok()) {
    return reading.wrong(text, "is not " + form);
  }
  if (const std::size_t bytes = address.value().unix_path.size(); bytes > kSocketPathBytes) {
    return reading.wrong(text, "is a path of " + std::to_string(bytes) +
                                   " bytes, and that of a unix socket has at most " +
                                   std::to_string(kSocketPathBytes) + "; write a shorter one");
  }
  return address;
}

/// A list, or one value of it; `parse` gives the address of each text, or its failure.
template <typename Parse> Result<SettingValue> read_each(const Reading &reading, Parse parse) {
  const Result<std::vector<std::string>> items = list_of(reading);
  if (!items.ok()) {
    return items.status();
  }
  SettingValue value;
  for (const std::string &text : items.value()) {
    const Result<HostPort> parsed = parse(text);
    if (!parsed.ok()) {
      return parsed.status();
    }
    value.addresses.push_back(parsed.value());
  }
  return value;
}

} // namespace

Result<SettingValue> read_addresses(const Reading &reading) {
  return read_each(reading, [&reading](const std::string &text) {
    return address_of(reading, text,
                      "ADDRESS:PORT; write 127.0.0.1:8080, 0.0.0.0:8080, [::]:8080 or unix:/PATH");
  });
}

Result<SettingValue> read_admin_address(const Reading &reading) {
  const Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  const Result<HostPort> parsed = address_of(
      reading, text.value(), "ADDRESS:PORT; write 127.0.0.1:9464, [::1]:9464 or unix:/PATH");
  if (!parsed.ok()) {
    return parsed.status();
  }
  AdminConfig admin;
  admin.bind = parsed.value();
  if (const Status status = check_admin(admin); !status.ok()) {
    return reading.wrong(status.message);
  }
  SettingValue value;
  value.addresses.push_back(parsed.value());
  return value;
}

Result<SettingValue> read_target(const Reading &reading) {
  const Result<std::string> text = text_of(reading, reading.written);
  if (!text.ok()) {
    return text.status();
  }
  const Result<HostPort> parsed =
      address_of(reading, text.value(),
                 "HOST:PORT; write 127.0.0.1:8080, [::1]:8080, NAME:8080 or unix:/PATH");
  if (!parsed.ok()) {
    return parsed.status();
  }
  if (parsed.value().unix_path.empty() && parsed.value().port == 0) {
    return reading.wrong(text.value(), "has port 0; write the port it listens on");
  }
  if (const std::string_view fault = host_fault(parsed.value().host); !fault.empty()) {
    return reading.wrong(text.value(), std::string(fault));
  }
  SettingValue value;
  value.addresses.push_back(parsed.value());
  return value;
}

Result<SettingValue> read_public_address(const Reading &reading) {
  const Result<std::string> read = text_of(reading, reading.written);
  if (!read.ok()) {
    return read.status();
  }
  const std::string &text = read.value();
  const bool has_port = text.rfind(':') != std::string::npos && !text.ends_with(']');
  const Result<HostPort> address = HostPort::parse(has_port ? text : text + ":443", "");
  if (!address.ok() || address.value().port == 0 || !address.value().unix_path.empty()) {
    return reading.wrong(text, "is not HOST[:PORT]; write relay.example, relay.example:8443 or "
                               "[::1]:8443");
  }
  const std::string &host = address.value().host;
  if (host == "0.0.0.0" || host == "::" || host.find_first_of("*,") != std::string::npos) {
    return reading.wrong(text, "is no address that can be dialled; write the one that listeners "
                               "reach this relay at");
  }
  if (const std::string_view fault = relay_host_fault(host); !fault.empty()) {
    return reading.wrong(text, std::string(fault));
  }
  SettingValue value;
  value.addresses.push_back(address.value());
  return value;
}

Result<SettingValue> read_loopbacks(const Reading &reading) {
  return read_each(reading, [&reading](const std::string &text) -> Result<HostPort> {
    Result<HostPort> parsed = HostPort::parse(text, "");
    if (!parsed.ok() || parsed.value().port == 0 || !parsed.value().unix_path.empty()) {
      return reading.wrong(text, "is not ADDRESS:PORT; write 127.0.0.153:53");
    }
    if (!is_loopback(parsed.value().host)) {
      return reading.wrong(text, "is no loopback address, and the answers are for this machine "
                                 "alone; write 127.0.0.153:53");
    }
    return parsed;
  });
}

Result<SettingValue> read_name_servers(const Reading &reading) {
  return read_each(reading, [&reading](const std::string &text) -> Result<HostPort> {
    const Result<HostPort> parsed = HostPort::parse(text, "");
    HostPort server = parsed.ok() ? parsed.value() : HostPort{text, kDnsPort, ""};
    if (!is_address(server.host) || server.port == 0) {
      return reading.wrong(text, "is no address of a name server; write 10.0.0.2, 10.0.0.2:5353 "
                                 "or [fd00::2]:53");
    }
    return server;
  });
}

} // namespace culvert
