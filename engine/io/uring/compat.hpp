// Constants of the kernel's io_uring interface that liburing 2.3's header does not have yet.
//
// Only what is used. Each says from which kernel on it exists; whether this kernel has it is asked
// at run time (probe.hpp), never by the header's version.
#pragma once

#include <cstdint>

namespace culvert::uring {

/// Linux 6.10, flag in sqe->ioprio of an accept: wait first, do not try an accept that will find
/// nothing. IORING_ACCEPT_POLL_FIRST.
inline constexpr std::uint16_t kAcceptPollFirst = 1U << 2;
/// Linux 6.10, bit of io_uring_params::features; came together with the flag above.
/// IORING_FEAT_RECVSEND_BUNDLE.
inline constexpr std::uint32_t kFeatureOf610 = 1U << 14;

} // namespace culvert::uring
