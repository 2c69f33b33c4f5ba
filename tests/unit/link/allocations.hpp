// How often operator new was called in this program, over all threads.
#pragma once

#include <cstddef>

namespace culvert::test {

/// False under a sanitizer, which counts its own.
bool can_count_allocations();
std::size_t allocations();

} // namespace culvert::test
