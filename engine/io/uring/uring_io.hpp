// The io_uring backend: one ring for each shard.
//
// Made, driven and destroyed on one thread: the kernel binds a ring to the task that made it.
// deliver() and post() to it may come from any thread.
//
// It owns the ring; what it shares with the other backend of a real kernel is in kernel_io.hpp.
//
// Accept, connect, poll and cancel go through the ring; everything else is a direct call
// (socket_calls.hpp). Sockets stay blocking: O_NONBLOCK would make the ring answer -EAGAIN instead
// of waiting. Timers stay in user space; wait() gives the kernel the nearest deadline. A host that
// waits on descriptor() must use nearest_deadline_ns() as its timeout.
#pragma once

#include "culvert/log.hpp"
#include "io/io.hpp"

#include <memory>

namespace culvert {

/// Called on the thread that will drive it. A failure says what to change on this machine.
Result<std::unique_ptr<Io>> make_uring_io(Log &log);

} // namespace culvert
