#include "role/relay/text.hpp"

#include "core/limits.hpp"
#include "core/text.hpp"

#include <charconv>

namespace culvert {

std::string loggable(std::string_view text) {
  std::string clean(text.substr(0, kReasonPhraseBytes));
  for (char &letter : clean) {
    if (is_control(letter)) {
      letter = '?';
    }
  }
  return clean;
}

std::string loggable_path(std::string_view path) {
  constexpr std::size_t kPathBytes = 64;
  constexpr std::string_view kOrdinary = "0123456789abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ._~/-";
  const std::string_view start = path.substr(0, kPathBytes);
  const std::string_view ordinary = start.substr(0, start.find_first_not_of(kOrdinary));
  return std::string(ordinary) + (ordinary.size() < path.size() ? "..." : "");
}

Authority parse_authority(std::string_view text) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return {};
    }
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (rest.empty()) {
    return {std::string(host), 443};
  }
  std::uint16_t port = 0;
  const char *const last = rest.data() + rest.size();
  const auto [end, error] = std::from_chars(rest.data() + 1, last, port);
  if (rest.front() != ':' || error != std::errc{} || end != last || port == 0) {
    return {};
  }
  return {std::string(host), port};
}

} // namespace culvert
