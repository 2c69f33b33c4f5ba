// A network address as a value: IPv4, IPv6 or a unix socket's path. It is never a host name:
// resolver plugins look up names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace culvert {

struct Address {
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

  Family family = Family::kNone;
  std::array<std::uint8_t, 16> bytes{}; // network order; IPv4 uses the first four
  std::uint16_t port = 0;
  std::string path; // of a unix socket

  bool operator==(const Address &) const = default;

  static Address unix_path(std::string path);
  static Address loopback(std::uint16_t port); // 127.0.0.1
  /// "127.0.0.1", "::1" or "[::1]"; nothing when the text is no IP literal.
  static std::optional<Address> from_literal(std::string_view host, std::uint16_t port);

  /// The address without its port: "127.0.0.1", "::1", or the path.
  [[nodiscard]] std::string host() const;
  /// "127.0.0.1:80", "[::1]:80" or "unix:/path".
  [[nodiscard]] std::string text() const;
};

} // namespace culvert
