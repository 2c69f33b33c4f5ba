// The meaning of an errno. Pure functions, safe from any thread.
#pragma once

#include "culvert/status.hpp"

#include <string_view>

namespace culvert {

/// `error` is a positive errno; `what` is the failed action: "connect to 127.0.0.1:80".
Status os_status(int error, std::string_view what);

/// True if the kernel had no memory for it: the caller should try again soon.
bool out_of_memory(int error);
/// True if this machine is at fault, not the peer: no descriptor or no memory is left.
bool lacks_resources(const Status &status);
/// True if nothing failed and the call must only be repeated later.
bool only_later(int error);

} // namespace culvert
