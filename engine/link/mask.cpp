#include "link/mask.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace culvert {
namespace {

void mask_tail(std::byte *data, std::size_t size, std::uint32_t key) {
  for (std::size_t i = 0; i < size; ++i) {
    data[i] ^= static_cast<std::byte>(key >> (8 * (i % 4)));
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void mask_avx2(std::byte *data, std::size_t size,
                                               std::uint32_t key) {
  const __m256i pattern = _mm256_set1_epi32(static_cast<int>(key));
  std::size_t done = 0;
  const auto at = [data](std::size_t offset) { return reinterpret_cast<__m256i *>(data + offset); };
  for (; size - done >= 128; done += 128) { // four at a time hide the latency of the loads
    const __m256i first = _mm256_xor_si256(_mm256_loadu_si256(at(done)), pattern);
    const __m256i second = _mm256_xor_si256(_mm256_loadu_si256(at(done + 32)), pattern);
    const __m256i third = _mm256_xor_si256(_mm256_loadu_si256(at(done + 64)), pattern);
    const __m256i fourth = _mm256_xor_si256(_mm256_loadu_si256(at(done + 96)), pattern);
    _mm256_storeu_si256(at(done), first);
    _mm256_storeu_si256(at(done + 32), second);
    _mm256_storeu_si256(at(done + 64), third);
    _mm256_storeu_si256(at(done + 96), fourth);
  }
  for (; size - done >= 32; done += 32) {
    _mm256_storeu_si256(at(done), _mm256_xor_si256(_mm256_loadu_si256(at(done)), pattern));
  }
  mask_tail(data + done, size - done, key); // `done` is a multiple of 4: the key stays in phase
}
#endif

} // namespace

void mask_portable(std::byte *data, std::size_t size, std::uint32_t key) {
  const std::uint64_t pattern = (static_cast<std::uint64_t>(key) << 32U) | key;
  std::size_t done = 0;
  for (; size - done >= 32; done += 32) { // whole words through memcpy: alignment does not matter
    std::uint64_t words[4];
    std::memcpy(words, data + done, sizeof words);
    for (std::uint64_t &word : words) {
      word ^= pattern;
    }
    std::memcpy(data + done, words, sizeof words);
  }
  mask_tail(data + done, size - done, key);
}

MaskFunction best_mask() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    return &mask_avx2;
  }
#endif
  return &mask_portable;
}

} // namespace culvert
