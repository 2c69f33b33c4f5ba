// From a plugin's id to its entry, through the plugin directories; the only file that knows
// Boost.DLL.
//
// Control thread only. The directories are searched in their order, and the first one that has the
// file wins: a file that cannot be used there is a failure, not a reason to go on. Listing loads
// nothing; loading maps for the rest of the process, and checks the path before and the entry
// after, so that no function of a plugin runs unchecked (constructors of the object excepted).
// Every failure says which file, what was wanted and found, and what to do.
#pragma once

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

/// The ids of the files in the directories that may be plugins, as far as one can see without
/// loading them; sorted.
Result<std::vector<std::string>> list_plugin_files(const Directories &directories);

/// Of those, the ids of the files that seem to offer a kind: its id stands in them.
std::vector<std::string> list_plugins_of_kind(const Directories &directories,
                                              const std::string &kind);

/// The canonical path of the plugin's file.
Result<std::string> find_plugin(const Directories &directories, std::string_view id);
Result<LoadedPlugin> load_plugin(const Directories &directories, std::string_view id);

/// Loads the plugin in a child process and returns what it says of itself, as describe_entry()
/// writes it. Forks: for a process with one thread.
Result<std::string> describe_in_child(const Directories &directories, std::string_view id);

/// Every component of the canonical path belongs to root or to this user and nobody else may write
/// there; a sticky directory is safe when the next component is ours.
Status check_owners(const std::string &path);

} // namespace culvert
