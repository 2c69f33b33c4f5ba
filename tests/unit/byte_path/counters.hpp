// What this program allocates, locks and copies, told apart by who asked for it: code of ours (all
// that is linked into the program), or libssl and libcrypto.
//
// Counts over all threads; reset() and read by one. It replaces operator new, memcpy, memmove and
// the locks of pthread for the whole program, libraries included, so it is a program of its own.
#pragma once

#include <cstddef>

namespace culvert::test {

/// False under a sanitizer, which needs these functions itself.
bool can_count();

struct Counts {
  std::size_t allocations = 0;      // operator new, by anybody
  std::size_t tls_allocations = 0;  // by libssl and libcrypto
  std::size_t locks = 0;            // by code of ours
  std::size_t tls_locks = 0;        // by libssl and libcrypto
  std::size_t large_copies = 0;     // of 4 KiB and more by code of ours, but for the two below
  std::size_t large_copy_bytes = 0; //
  std::size_t small_copy_bytes = 0; // the other ones
  std::size_t wire_bytes = 0;       // by the two callbacks of the TLS wire
  std::size_t tls_copy_bytes = 0;   // inside libssl and libcrypto
};

void start_counting();
Counts stop_counting();

} // namespace culvert::test
