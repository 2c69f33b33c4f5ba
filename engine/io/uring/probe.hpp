// Makes a ring and says what its kernel can do, or why there is none.
//
// Called once on the thread that will drive the ring. The caller owns the ring it gets.
#pragma once

#include "culvert/log.hpp"
#include "culvert/status.hpp"

#include <liburing.h>

namespace culvert::uring {

/// Fills `ring`, which must be ended with io_uring_queue_exit() when this succeeded. A failure says
/// what to change on this machine. Writes one line a feature at level debug.
Status make_ring(io_uring &ring, Log &log);

/// Why io_uring_setup() answered `error`; `disabled` is what kernel.io_uring_disabled says, -1 when
/// there is no such setting.
Status no_ring(int error, int disabled);

} // namespace culvert::uring
