// The process's stderr, written so that a stopped reader never blocks the process.
//
// Safe from any thread. culvert/log.hpp has write_stderr_line().
#pragma once

namespace culvert {

/// Opens stderr once more, with O_NONBLOCK, if it is a terminal or a pipe: these can block a write
/// although they poll writable, and O_NONBLOCK on stderr itself would change every process that
/// shares it. The caller closes the descriptor. Returns -1 if stderr is something else or cannot be
/// opened; the caller then writes to STDERR_FILENO.
int reopen_stderr();

} // namespace culvert
