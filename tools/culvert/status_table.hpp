// The table that `culvert status` prints. Pure functions.
#pragma once

#include "culvert/status.hpp"

#include <string>

namespace culvert::command {

/// `now` and `before`: /status at two moments, `seconds` apart, for the rates. A failure says that
/// one of them is no such page.
Result<std::string> status_table(const std::string &now, const std::string &before, double seconds);

} // namespace culvert::command
