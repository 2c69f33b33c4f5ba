#include "audience.hpp"

#include "token.hpp"

#include <array>

namespace sas {
namespace {

constexpr std::array<std::string_view, 5> kSchemes{"http", "https", "sb", "ws", "wss"};

bool is_port(std::string_view text) {
  return text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The host of "host[:port]" without the brackets of an IPv6 literal; empty when it is not one.
std::string_view host_of(std::string_view authority) {
  std::size_t end = authority.find(':');
  std::string_view host = authority.substr(0, end);
  if (!authority.empty() && authority.front() == '[') {
    end = authority.find(']');
    if (end == std::string_view::npos) {
      return {};
    }
    host = authority.substr(1, end - 1);
    ++end;
  }
  const std::string_view rest =
      end >= authority.size() ? std::string_view{} : authority.substr(end);
  const bool well_formed = rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  return well_formed ? host : std::string_view{};
}

std::string_view without_trailing_slashes(std::string_view path) {
  while (!path.empty() && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path;
}

/// An audience's path in the form of a request path: no '/' at either end, no "$hc/" in front.
std::string_view bare_path(std::string_view path) {
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
  }
  if (path.size() >= 4 && equal_ignoring_case(path.substr(0, 4), "$hc/")) {
    path.remove_prefix(4);
  }
  return without_trailing_slashes(path);
}

bool is_prefix_of_segments(std::string_view prefix, std::string_view path) {
  if (prefix.empty()) {
    return true;
  }
  return path.size() >= prefix.size() &&
         equal_ignoring_case(path.substr(0, prefix.size()), prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool contains(const std::vector<std::string_view> &names, std::string_view host) {
  for (const std::string_view name : names) {
    if (equal_ignoring_case(name, host)) {
      return true;
    }
  }
  return false;
}

} // namespace

Cover covers(std::string_view audience, std::string_view path,
             const std::vector<std::string_view> &relay_names) {
  const auto url = percent_decode(audience);
  if (!url || url->find('\0') != std::string::npos) {
    return Cover::kUnreadable;
  }
  std::string_view rest = *url;
  rest = rest.substr(0, rest.find_first_of("?#"));
  const std::size_t scheme_end = rest.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) {
    return Cover::kUnreadable;
  }
  bool known_scheme = false;
  for (const std::string_view scheme : kSchemes) {
    known_scheme = known_scheme || equal_ignoring_case(rest.substr(0, scheme_end), scheme);
  }
  rest.remove_prefix(scheme_end + 3);
  const std::size_t slash = rest.find('/');
  const std::string_view host = host_of(rest.substr(0, slash));
  if (host.empty() || host.find_first_of("@ ") != std::string_view::npos) {
    return Cover::kUnreadable;
  }
  // Clients escape their URL before they sign it: one decoding later it is still an escaped URL.
  const auto decoded =
      percent_decode(slash == std::string_view::npos ? std::string_view{} : rest.substr(slash));
  if (!decoded) {
    return Cover::kUnreadable;
  }
  if (!known_scheme || !contains(relay_names, host)) {
    return Cover::kOtherHost;
  }
  return is_prefix_of_segments(bare_path(*decoded), path) ? Cover::kYes : Cover::kOtherPath;
}

} // namespace sas
