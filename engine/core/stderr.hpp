// The process's stderr, written so that a reader who has stopped reading never stops the process.
//
// Safe from any thread. culvert/log.hpp has write_stderr_line().
#pragma once

namespace culvert {

/// A terminal or a pipe opened once more, with O_NONBLOCK: it can block a write although it polled
/// writable, and O_NONBLOCK on stderr itself would hold for every process that shares it. The
/// caller closes the descriptor. -1: neither, or it cannot be opened; write to STDERR_FILENO then.
int reopen_stderr();

} // namespace culvert
