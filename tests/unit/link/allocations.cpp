#include "unit/link/allocations.hpp"

#include "unit/sanitized.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> g_allocations = 0;
}

#ifndef CULVERT_TEST_SANITIZED

namespace {

void *counted(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  void *memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

} // namespace

void *operator new(std::size_t size) {
  return counted(size);
}
void *operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void *memory) noexcept {
  std::free(memory);
}
void operator delete[](void *memory) noexcept {
  std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void *memory, std::size_t) noexcept {
  std::free(memory);
}

#endif

namespace culvert::test {

bool can_count_allocations() {
#ifdef CULVERT_TEST_SANITIZED
  return false;
#else
  return true;
#endif
}

std::size_t allocations() {
  return g_allocations.load();
}

} // namespace culvert::test
