// The HTTP proxy on the way from a client to its relay: which hosts it leads to, what it is asked
// (CONNECT, RFC 9110 section 9.3.6), and what its answers mean.
//
// Constant after it was made; any thread. It owns its credentials. A request holds them, so it is
// never logged.
#pragma once

#include "culvert/config.hpp"
#include "link/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace culvert {

class Proxy {
public:
  /// The address is not empty.
  explicit Proxy(const ProxyConfig &config);

  [[nodiscard]] const HostPort &address() const { return address_; }
  /// "the proxy", or "the proxy of the variable HTTPS_PROXY" with what else can be done about it.
  [[nodiscard]] std::string title() const;
  /// False: a connection to this host is made without the proxy.
  [[nodiscard]] bool leads_to(std::string_view host) const;
  /// The head that asks for a tunnel to this host.
  [[nodiscard]] Result<std::string> request(const std::string &host, std::uint16_t port) const;
  /// Success, or what the proxy refused, with Source::kProxy. The sentence does not name the proxy.
  [[nodiscard]] Status judge(const ResponseHead &answer, const std::string &host,
                             std::uint16_t port) const;
  /// The same of an answer that was not read, because there was none or it is not HTTP.
  [[nodiscard]] static Status unread(const Status &why);

private:
  [[nodiscard]] Status wants_password(const ResponseHead &answer) const;

  HostPort address_;
  std::string origin_;
  Secret credentials_;
  std::vector<std::string> except_; // lower case
};

} // namespace culvert
