// How often operator new was called in this program, over all threads.
#pragma once

#include <cstddef>

namespace culvert::test {

std::size_t allocations();

} // namespace culvert::test
