#include "core/limits.hpp"
#include "link/mask.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace culvert {
namespace {

TEST(Mask, TheVectorPathEqualsThePortableOneAtEveryAlignmentAndPhase) {
  constexpr std::size_t kAlignments = 64;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{31},
        std::size_t{32}, std::size_t{33}, std::size_t{127}, std::size_t{128}, std::size_t{129},
        std::size_t{163}, kLargestMaskedFrame, kRecordBytes}) {
    std::vector<std::byte> plain(kAlignments + size + 64);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      plain[i] = static_cast<std::byte>(i * 7 + i / 256);
    }
    for (std::size_t offset = 0; offset < kAlignments; ++offset) {
      for (std::size_t phase = 0; phase < 4; ++phase) {
        const std::uint32_t key = rotate_key(0x3D21FA37, phase);
        std::vector<std::byte> best = plain;
        std::vector<std::byte> portable = plain;
        best_mask()(best.data() + offset, size, key);
        mask_portable(portable.data() + offset, size, key);
        ASSERT_TRUE(best == portable) << size << " " << offset << " " << phase;
        ASSERT_TRUE(size < 4 || best != plain);
      }
    }
  }
}

} // namespace
} // namespace culvert
