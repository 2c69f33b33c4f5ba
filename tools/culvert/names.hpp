// What the commands about names read of a configuration file.
//
// One thread.
#pragma once

#include "culvert/config_file.hpp"

namespace culvert::command {

/// The file without what this user may not read: who leads an app to endpoints need not have the
/// keys. Throws a Refusal with the first mistake.
Configuration read_endpoints(const std::string &path);

} // namespace culvert::command
