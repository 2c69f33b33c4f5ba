#include "role/proxy_header.hpp"

#include "culvert/config.hpp"

namespace culvert {
namespace {

constexpr char kSignature[] = "\r\n\r\n\0\r\nQUIT\n";
constexpr char kLocal = 0x20; // version 2, and the command
constexpr char kProxied = 0x21;
constexpr char kUnknown = 0x00; // family and protocol
constexpr char kTcp4 = 0x11;
constexpr char kTcp6 = 0x21;

void append_number(std::string &bytes, std::size_t number) {
  bytes += static_cast<char>(number >> 8U);
  bytes += static_cast<char>(number & 0xffU);
}

} // namespace

Address app_address(const std::string &text) {
  const Result<HostPort> parsed = HostPort::parse(text, "");
  return parsed.ok()
             ? Address::from_literal(parsed.value().host, parsed.value().port).value_or(Address{})
             : Address{};
}

std::string proxy_header(const Address &app, const Address &target) {
  std::string header(kSignature, sizeof kSignature - 1);
  const bool is_ipv4 = app.family == Address::Family::kIpv4;
  if (!is_ipv4 && app.family != Address::Family::kIpv6) {
    header += kLocal;
    header += kUnknown;
    append_number(header, 0);
    return header;
  }
  const std::size_t size = is_ipv4 ? 4 : 16;
  header += kProxied;
  header += is_ipv4 ? kTcp4 : kTcp6;
  append_number(header, 2 * size + 4);
  const Address destination = target.family == app.family ? target : Address{};
  header.append(reinterpret_cast<const char *>(app.bytes.data()), size);
  header.append(reinterpret_cast<const char *>(destination.bytes.data()), size);
  append_number(header, app.port);
  append_number(header, target.port);
  return header;
}

} // namespace culvert
