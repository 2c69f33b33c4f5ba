// The marked block of redirected names in a hosts file.
//
// Plain functions; two processes that change one file wait for each other.
#pragma once

#include "hosts_text.hpp"

namespace culvert::command {

/// Writes the block, or another one in place of it. A reader of the file sees it as it was or as it
/// will be, unless the file is a mount point (as in a container): then it is written where it is.
/// A failure has changed nothing, and says what to do.
Status apply_to_hosts_file(const std::string &path, const RedirectedNames &names);
/// Takes the block away; without one nothing changes.
Status remove_from_hosts_file(const std::string &path);

} // namespace culvert::command
