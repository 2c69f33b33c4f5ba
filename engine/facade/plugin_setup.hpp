// What an engine's configuration says about its plugins: where they are, and their own settings.
//
// Control thread only.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/config.hpp"
#include "plugin/plugin_set.hpp"

#include <string>
#include <vector>

namespace culvert {

/// The configured directories, then that of the running program.
std::vector<std::string> plugin_directories(const EngineConfig &config);

/// Hands every setting to its plugin, which is loaded for it. A failure names the plugin and the
/// setting, and the known ones where it is unknown; never a value.
Status configure_plugins(PluginSet &plugins, SecretStore &secrets, const EngineConfig &config);

} // namespace culvert
