// One request to the admin endpoint of a running process. It blocks; one thread.
#pragma once

#include "culvert/config.hpp"

#include <string>

namespace culvert::command {

/// Where an operator's process has its endpoint, unless --admin says otherwise.
inline constexpr const char *kAdminAddress = "unix:/run/culvert/admin.sock";

/// The sentence about a text that is no address of an endpoint.
Status no_admin_address(const std::string &text);

/// A text of an answer for a terminal, which would obey control characters: '?' in their place.
std::string printable(std::string text);

struct AdminAnswer {
  unsigned status = 0; // of HTTP
  std::string body;
};

/// `method`: "GET" or "POST". A failure says why there is no answer within `timeout_ms`.
Result<AdminAnswer> ask_admin(const HostPort &where, const std::string &method,
                              const std::string &path, unsigned timeout_ms);

} // namespace culvert::command
