// Where plugins are looked for when nobody says: beside the running program.
#pragma once

#include "culvert/config.hpp"

#include <string>

namespace culvert {

/// The configured directory, or that of the running program.
std::string plugin_directory(const EngineConfig &config);

} // namespace culvert
