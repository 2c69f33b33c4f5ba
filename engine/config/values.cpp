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

std::string HostPort::text() const {
  if (!unix_path.empty()) {
    return "unix:" + unix_path;
  }
  const bool literal6 = host.find(':') != std::string::npos;
  return (literal6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace culvert
