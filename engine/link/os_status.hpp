// What an errno means. Pure functions, callable from anywhere.
#pragma once

#include "culvert/status.hpp"

#include <string_view>

namespace culvert {

/// `error` is a positive errno; `what` says what was tried: "connect to 127.0.0.1:80".
Status os_status(int error, std::string_view what);

/// The kernel had no memory for it: worth another try in a moment.
bool out_of_memory(int error);
/// This machine's fault, whoever was called: no descriptor or no memory is left.
bool lacks_resources(const Status &status);
/// Nothing went wrong, there was only nothing to do yet.
bool only_later(int error);

} // namespace culvert
