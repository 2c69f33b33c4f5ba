// Whether a token's audience covers a request. Microsoft's clients write the same resource in many
// ways; all of these are accepted, and no other.
#pragma once

#include <string_view>
#include <vector>

namespace sas {

enum class Cover { kYes, kOtherHost, kOtherPath, kUnreadable };

/// `audience`: the token's `sr` as sent. `path`: the whole request path, decoded.
Cover covers(std::string_view audience, std::string_view path,
             const std::vector<std::string_view> &relay_names);

} // namespace sas
