// From a plugin's id to its entry, through one directory; the only file that knows Boost.DLL.
//
// Control thread only. Listing maps nothing; loading maps for the rest of the process, and checks
// the path before and the entry after, so that no function of a plugin runs unchecked (constructors
// of the object excepted). Every failure says which file, what was wanted and found, and what to
// do.
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

/// The ids of the files in the directory that may be plugins, as far as one can see without mapping
/// them; sorted.
Result<std::vector<std::string>> list_plugin_files(const std::string &directory);

/// Of those, the ids of the files that seem to offer a kind: its id stands in them.
std::vector<std::string> list_plugins_of_kind(const std::string &directory,
                                              const std::string &kind);

Result<LoadedPlugin> load_plugin(const std::string &directory, std::string_view id);

/// Maps the plugin in a child process and returns what it says of itself, as describe_entry()
/// writes it. Forks: for a process with one thread.
Result<std::string> describe_in_child(const std::string &directory, std::string_view id);

/// Every component of the canonical path belongs to root or to this user and nobody else may write
/// there; a sticky directory is safe when the next component is ours.
Status check_owners(const std::string &path);

} // namespace culvert
