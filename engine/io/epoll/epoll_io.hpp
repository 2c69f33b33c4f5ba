// The epoll backend, for machines and containers where io_uring is forbidden: one epoll instance
// for each shard.
//
// Driven and destroyed on one thread; deliver() and post() to it may come from any thread. It owns
// the epoll instance; what it shares with uring is in kernel_io.hpp.
//
// epoll says when, as the ring does; all calls that move bytes are direct. Sockets that connect and
// sockets that listen become non-blocking, and no call needs the others to be. So all shards that
// accept on one listening socket must have this backend. Timers stay in user space; wait() gives
// the kernel the nearest deadline in whole milliseconds, rounded up.
#pragma once

#include "io/io.hpp"

#include <memory>

namespace culvert {

Result<std::unique_ptr<Io>> make_epoll_io();

} // namespace culvert
