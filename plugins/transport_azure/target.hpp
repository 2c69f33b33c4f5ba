// A request target taken apart: what is below /$hc/, the parameters of the protocol, and what is
// the user's own and goes on byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace azure {

/// The parameter of ours that carries the engine's capability: always the last of an address. It
/// starts with "sb-hc-", so that every listener library strips it, and hex has no second '='.
inline constexpr std::string_view kCapabilityName = "sb-hc-capability";

struct Target {
  bool valid = false;      // a path that can be read
  bool web_socket = false; // below /$hc/
  std::string raw_path;    // behind /$hc/, byte for byte
  std::string path;        // the same decoded, without '/' at either end
  std::string query;       // the user's own, byte for byte; may be empty
  bool has_query = false;
  std::optional<std::string> action; // each decoded; the first of its name counts
  std::optional<std::string> id;
  std::optional<std::string> token;
  std::optional<std::string> capability;
  std::optional<std::string> status_code;
  std::optional<std::string> status_description;
};

Target read_target(std::string_view target);

} // namespace azure
