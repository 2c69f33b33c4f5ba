#include "memory.hpp"

#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace culvert::command {
namespace {

/// The memory of 500 to 700 tunnels of a client: less is not worth a look at all free blocks.
constexpr std::size_t kLeastBytes = 16U << 20U;

/// Of the process, without its files.
std::size_t resident_bytes() {
  std::size_t size = 0;
  std::size_t resident = 0;
  std::size_t files = 0;
  std::ifstream("/proc/self/statm") >> size >> resident >> files;
  return resident < files ? 0 : (resident - files) * static_cast<std::size_t>(getpagesize());
}

std::size_t used_bytes() {
  const struct mallinfo2 heaps = mallinfo2();
  return heaps.uordblks + heaps.hblkhd;
}

std::size_t free_bytes(std::size_t used) {
  const std::size_t resident = resident_bytes();
  return resident < used ? 0 : resident - used;
}

} // namespace

void FreeMemory::give_back() {
  const std::size_t used = used_bytes();
  const std::size_t free = free_bytes(used);
  if (free > used && free > left_ + kLeastBytes) {
    malloc_trim(0);
    left_ = free_bytes(used);
  }
}

} // namespace culvert::command
