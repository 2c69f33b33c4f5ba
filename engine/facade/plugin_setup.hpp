// The plugins in an engine's configuration: their directories, and their own settings.
//
// Control thread only.
#pragma once

#include "crypto/secret.hpp"
#include "culvert/config.hpp"
#include "plugin/plugin_set.hpp"

#include <string>
#include <vector>

namespace culvert {

/// The configured directories, then that of the running program, then ../lib/culvert/plugins beside
/// it if that is there: where `cmake --install` puts plugins.
std::vector<std::string> plugin_directories(const EngineConfig &config);

/// Gives every setting to its plugin, and loads the plugin for that. A failure names the plugin and
/// the setting, and the known settings if it is unknown; never a value.
Status configure_plugins(PluginSet &plugins, SecretStore &secrets, const EngineConfig &config);

} // namespace culvert
