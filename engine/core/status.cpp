#include "culvert/status.hpp"

#include <array>

namespace culvert {

std::string_view word(Code code) {
  static constexpr std::array<std::string_view, 30> kWords{"ok",
                                                           "cancelled",
                                                           "timeout",
                                                           "refused",
                                                           "unreachable",
                                                           "reset",
                                                           "truncated",
                                                           "protocol",
                                                           "too-large",
                                                           "tls",
                                                           "rejected",
                                                           "token-missing",
                                                           "token-malformed",
                                                           "token-signature",
                                                           "token-expired",
                                                           "token-audience",
                                                           "token-right",
                                                           "no-entity",
                                                           "no-listener",
                                                           "gone",
                                                           "overload",
                                                           "shutting-down",
                                                           "no-name",
                                                           "no-memory",
                                                           "no-descriptor",
                                                           "unsupported",
                                                           "config",
                                                           "internal",
                                                           "quota",
                                                           "none-allowed"};
  return kWords[static_cast<std::size_t>(code)];
}

std::string_view word(Source source) {
  static constexpr std::array<std::string_view, 6> kWords{"local",  "relay",  "target",
                                                          "plugin", "config", "proxy"};
  return kWords[static_cast<std::size_t>(source)];
}

std::string_view word(Retry retry) {
  static constexpr std::array<std::string_view, 4> kWords{"never", "now", "backoff", "new-token"};
  return kWords[static_cast<std::size_t>(retry)];
}

} // namespace culvert
