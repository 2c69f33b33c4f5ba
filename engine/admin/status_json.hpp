// A snapshot as JSON: what `culvert status` reads.
//
// A pure function. Times are Unix seconds.
#pragma once

#include "culvert/snapshot.hpp"

#include <string>

namespace culvert {

std::string status_json(const Snapshot &snapshot);
/// {"reloaded": true, "sentences": [...]}
std::string reload_json(bool reloaded, const std::vector<std::string> &sentences);

} // namespace culvert
