#include "unit/byte_path/counters.hpp"

#include "unit/link/allocations.hpp"
#include "unit/sanitized.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string_view>

namespace {

using culvert::test::Counts;

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  [[nodiscard]] bool holds(const void *address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= begin && at < end;
  }
};

std::atomic<bool> g_counting = false;
Counts g_counts;
std::size_t g_allocations_before = 0;
Range g_program;
std::array<Range, 2> g_tls; // libssl, libcrypto

[[maybe_unused]] bool of_tls(const void *caller) {
  return g_tls[0].holds(caller) || g_tls[1].holds(caller);
}

int note_object(dl_phdr_info *info, std::size_t, void *) {
  Range range;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto &part = info->dlpi_phdr[i];
    if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0) {
      range = {info->dlpi_addr + part.p_vaddr, info->dlpi_addr + part.p_vaddr + part.p_memsz};
    }
  }
  const std::string_view name = info->dlpi_name;
  if (name.empty() && g_program.begin == 0) {
    g_program = range;
  } else if (name.find("libssl") != std::string_view::npos) {
    g_tls[0] = range;
  } else if (name.find("libcrypto") != std::string_view::npos) {
    g_tls[1] = range;
  }
  return 0;
}

} // namespace

#ifndef CULVERT_TEST_SANITIZED

namespace {

/// The two callbacks of the TLS wire, whose one copy each way is the price of libssl.
bool of_wire(const void *caller) {
  static std::array<const void *, 32> known{}; // callers are few; a name is looked up once
  static std::array<bool, 32> answers{};
  std::size_t i = 0;
  for (; i < known.size() && known[i] != nullptr; ++i) {
    if (known[i] == caller) {
      return answers[i];
    }
  }
  g_counting = false;
  Dl_info info{};
  const bool found = dladdr(caller, &info) != 0 && info.dli_sname != nullptr;
  const bool wire = found && std::string_view(info.dli_sname).find("TlsWire") != std::string::npos;
  g_counting = true;
  if (i < known.size()) {
    answers[i] = wire;
    known[i] = caller;
  }
  return wire;
}

void count_copy(const void *caller, std::size_t size) {
  if (of_tls(caller)) {
    g_counts.tls_copy_bytes += size;
  } else if (!g_program.holds(caller)) {
    return; // the C and C++ libraries on their own account
  } else if (of_wire(caller)) {
    g_counts.wire_bytes += size;
  } else if (size >= 4'096) {
    ++g_counts.large_copies;
    g_counts.large_copy_bytes += size;
  } else {
    g_counts.small_copy_bytes += size;
  }
}

void count_lock(const void *caller) {
  if (g_counting.load(std::memory_order_relaxed)) {
    ++(of_tls(caller) ? g_counts.tls_locks : g_counts.locks);
  }
}

void *tls_malloc(std::size_t size, const char *, int) {
  g_counts.tls_allocations += g_counting.load(std::memory_order_relaxed) ? 1 : 0;
  return std::malloc(size);
}
void *tls_realloc(void *memory, std::size_t size, const char *, int) {
  g_counts.tls_allocations += g_counting.load(std::memory_order_relaxed) ? 1 : 0;
  return std::realloc(memory, size);
}
void tls_free(void *memory, const char *, int) {
  std::free(memory);
}
/// Before libcrypto has allocated anything.
[[maybe_unused]] const int kTlsMemory =
    CRYPTO_set_mem_functions(&tls_malloc, &tls_realloc, &tls_free);

template <typename Function> Function next_of(const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
using Lock = int (*)(pthread_mutex_t *);
using ReadWriteLock = int (*)(pthread_rwlock_t *);

} // namespace

extern "C" {

// `rep movsb` is the one copy that the compiler cannot turn back into a call of these.
void *memcpy(void *__restrict to, const void *__restrict from, std::size_t size) {
  if (g_counting.load(std::memory_order_relaxed)) {
    count_copy(__builtin_return_address(0), size);
  }
  void *const result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return result;
}

void *memmove(void *to, const void *from, std::size_t size) {
  if (g_counting.load(std::memory_order_relaxed)) {
    count_copy(__builtin_return_address(0), size);
  }
  void *const result = to;
  auto *target = static_cast<unsigned char *>(to);
  const auto *source = static_cast<const unsigned char *>(from);
  if (target <= source || target >= source + size) {
    asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  } else {
    target += size - 1;
    source += size - 1;
    asm volatile("std\n\trep movsb\n\tcld" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  }
  return result;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  static const Lock kReal = next_of<Lock>("pthread_mutex_lock");
  count_lock(__builtin_return_address(0));
  return kReal(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
  static const ReadWriteLock kReal = next_of<ReadWriteLock>("pthread_rwlock_rdlock");
  count_lock(__builtin_return_address(0));
  return kReal(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
  static const ReadWriteLock kReal = next_of<ReadWriteLock>("pthread_rwlock_wrlock");
  count_lock(__builtin_return_address(0));
  return kReal(lock);
}

} // extern "C"

#endif

namespace culvert::test {

bool can_count() {
#ifdef CULVERT_TEST_SANITIZED
  return false;
#else
  return true;
#endif
}

void start_counting() {
  dl_iterate_phdr(&note_object, nullptr);
  g_counts = {};
  g_allocations_before = allocations();
  g_counting = true;
}

Counts stop_counting() {
  g_counting = false;
  g_counts.allocations = allocations() - g_allocations_before;
  return g_counts;
}

} // namespace culvert::test
