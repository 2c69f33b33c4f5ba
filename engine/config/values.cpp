#include "core/text.hpp"
#include "culvert/config.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace culvert {
namespace {

Status wrong(std::string_view what, std::string_view text) {
  return Status::config(std::string(what) + " '" + std::string(text) +
                        "' is not HOST:PORT; write 127.0.0.1:8080, [::1]:8080, NAME:8080 or "
                        "unix:/PATH");
}

/// A '%' that two hexadecimal digits do not follow stays as it is.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool coded =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2;
    decoded += coded ? static_cast<char>(byte) : text[i];
    i += coded ? 2 : 0;
  }
  return decoded;
}

} // namespace

Result<HostPort> HostPort::parse(std::string_view text, std::string_view what) {
  HostPort result;
  if (text.starts_with("unix:")) {
    result.unix_path = text.substr(5);
    if (!result.unix_path.starts_with('/')) {
      return wrong(what, text);
    }
    return result;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return wrong(what, text);
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port > 65535) {
    return wrong(what, text);
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong(what, text); // an IPv6 literal without brackets hides where the port begins
  }
  const bool readable = std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isgraph(c) != 0 && c != '/' && c != '[' && c != ']' && c != '@';
  });
  if (!readable) {
    return wrong(what, text);
  }
  result.host = host;
  result.port = static_cast<std::uint16_t>(port);
  return result;
}

Result<ProxyConfig> ProxyConfig::parse(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::uint16_t kHttpPort = 80;
  const std::string begin(url.substr(0, kScheme.size()));
  if (lower_case(begin) != kScheme) {
    return Status::config(url.starts_with("https://") || url.starts_with("socks")
                              ? "only HTTP proxies are known here; write http://HOST:PORT"
                              : "it is not a proxy's URL; write http://HOST:PORT");
  }
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  ProxyConfig proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    std::string decoded = percent_decoded(url.substr(0, at));
    proxy.credentials = Secret::take(decoded);
    url.remove_prefix(at + 1);
  }
  const bool has_port = url.rfind(':') != std::string_view::npos && !url.ends_with(']');
  const Result<HostPort> address =
      HostPort::parse(std::string(url) + (has_port ? "" : ":" + std::to_string(kHttpPort)), "");
  if (!address.ok() || address.value().port == 0 || !address.value().unix_path.empty()) {
    return Status::config("it is not a proxy's URL; write http://HOST:PORT");
  }
  proxy.address = address.value();
  return proxy;
}

std::string HostPort::text() const {
  if (!unix_path.empty()) {
    return "unix:" + unix_path;
  }
  const bool literal6 = host.find(':') != std::string::npos;
  return (literal6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace culvert
