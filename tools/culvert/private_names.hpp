// Redirected names for this process and its children alone: a mount namespace with files of its own
// in place of /etc/hosts and its like. It ends with its last process and leaves nothing behind.
//
// For a process with one thread, as the last thing before it becomes another program.
#pragma once

#include "hosts_text.hpp"

namespace culvert::command {

/// Needs no right, where the kernel lets users make namespaces. Then the process keeps its user and
/// group, and sees other users and groups as nobody. A failure says which step is not allowed and
/// what to use instead.
Status enter_private_names(const RedirectedNames &names);
/// Whether it is possible here: tried in a child process.
Status try_private_names();

} // namespace culvert::command
