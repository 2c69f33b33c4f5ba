// Invariants, checked in every build.
//
// CULVERT_ASSERT stays on in release: a broken invariant ends the process with file and line before
// it can become a wrong byte. CULVERT_DEBUG_ASSERT is off in release: it is for checks that would
// run for each byte or each chunk.
#pragma once

namespace culvert {

/// Prints the broken invariant to stderr and aborts.
[[noreturn]] void assertion_failed(const char *condition, const char *file, int line);

} // namespace culvert

#define CULVERT_ASSERT(condition)                                                                  \
  ((condition) ? static_cast<void>(0) : ::culvert::assertion_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define CULVERT_DEBUG_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#else
#define CULVERT_DEBUG_ASSERT(condition) CULVERT_ASSERT(condition)
#endif
