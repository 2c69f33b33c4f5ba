// Masking of one frame of 16 KiB: the vector path the link picks, the portable one, and a plain
// copy of as many bytes for comparison. All data stays in the first-level cache, as on the byte
// path.
#include "link/mask.hpp"

#include "core/limits.hpp"

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

namespace culvert {
namespace {

constexpr std::uint32_t kKey = 0x3D21FA37;
/// Where a payload behind a header begins is no multiple of anything.
constexpr std::size_t kOffset = 8;

void mask_with(benchmark::State &state, MaskFunction mask) {
  std::vector<std::byte> data(kOffset + kRecordBytes, std::byte{0x5A});
  for (auto _ : state) {
    mask(data.data() + kOffset, kRecordBytes, kKey);
    benchmark::DoNotOptimize(data.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * kRecordBytes);
}

void copy(benchmark::State &state) {
  std::vector<std::byte> from(kOffset + kRecordBytes, std::byte{0x5A});
  // Not at the same place of its page as the source: some processors copy ten times slower there.
  std::vector<std::byte> to(kOffset + kRecordBytes + 512);
  for (auto _ : state) {
    std::memcpy(to.data() + kOffset + 512, from.data() + kOffset, kRecordBytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * kRecordBytes);
}

BENCHMARK_CAPTURE(mask_with, best, best_mask());
BENCHMARK_CAPTURE(mask_with, portable, &mask_portable);
BENCHMARK(copy)->Name("memcpy");

} // namespace
} // namespace culvert

BENCHMARK_MAIN();
