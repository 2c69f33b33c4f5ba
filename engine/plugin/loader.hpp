// Finds and loads plugins by id in the plugin directories. loader.cpp is the only file that uses
// Boost.DLL.
//
// Control thread only. The directories are searched in their order, and the first one that has the
// file wins: if that file cannot be used, the search fails and does not continue. Listing does not
// load plugins. A loaded plugin stays loaded until the process ends. Loading checks the path before
// and the entry after, so that no function of a plugin runs unchecked (except constructors of the
// shared object). Every failure says which file, what was wanted and found, and what to do.
#pragma once

#include "core/limits.hpp"
#include "culvert/plugin.h"
#include "culvert/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace culvert {

struct LoadedPlugin {
  const culvert_plugin *entry = nullptr;
  std::string file; // canonical
};

using Directories = std::vector<std::string>;

/// The ids of the files in the directories that may be plugins, as far as this is visible without
/// loading them; sorted.
Result<std::vector<std::string>> list_plugin_files(const Directories &directories);

/// The ids of those files that contain the id of a kind and therefore seem to offer it.
std::vector<std::string> list_plugins_of_kind(const Directories &directories,
                                              const std::string &kind);

/// The canonical path of the plugin's file.
Result<std::string> find_plugin(const Directories &directories, std::string_view id);
Result<LoadedPlugin> load_plugin(const Directories &directories, std::string_view id);

/// Loads the plugin in a child process and returns the text of describe_entry(). The child is
/// killed at the limit, and it dies with this process. It forks, so the process must have only one
/// thread.
Result<std::string> describe_in_child(const Directories &directories, std::string_view id,
                                      std::uint64_t limit_ms = kPluginLoadMs);

/// Checks that every component of the canonical path belongs to root or to this user, and that no
/// other user may write there. A sticky directory is safe if the next component belongs to root or
/// to this user.
Status check_owners(const std::string &path);

} // namespace culvert
