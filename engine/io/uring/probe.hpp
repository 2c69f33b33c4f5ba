// Makes a ring and logs what the kernel supports, or reports why there is no ring.
//
// Called once on the thread that will drive the ring. The caller owns the ring it gets.
#pragma once

#include "culvert/log.hpp"
#include "culvert/status.hpp"

#include <liburing.h>

namespace culvert::uring {

/// Fills `ring`. After success the caller must end it with io_uring_queue_exit(). A failure says
/// what to change on this machine. Writes one line for each feature at level debug.
Status make_ring(io_uring &ring, Log &log);

/// Explains the `error` of io_uring_setup(). `disabled` is the value of kernel.io_uring_disabled,
/// or -1 if there is no such setting.
Status no_ring(int error, int disabled);

} // namespace culvert::uring
