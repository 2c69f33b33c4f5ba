#include "core/random.hpp"
#include "core/uuid.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace culvert {
namespace {

/// Hands out what it was given.
class ScriptedRandom final : public Random {
public:
  explicit ScriptedRandom(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
  void fill(std::span<std::byte> out) override {
    std::memcpy(out.data(), &values_.at(next_++), out.size());
  }
  std::size_t used() const { return next_; }

private:
  std::vector<std::uint64_t> values_;
  std::size_t next_ = 0;
};

TEST(Random, OneSeedIsOneSequenceOnEveryMachine) {
  SeededRandom random(0); // the published values of xoshiro256** seeded by splitmix64
  for (const std::uint64_t expected :
       {11091344671253066420U, 13793997310169335082U, 1900383378846508768U, 7684712102626143532U}) {
    EXPECT_EQ(random.next(), expected);
  }
  SeededRandom same(7);
  SeededRandom other(8);
  SeededRandom again(7);
  std::array<std::byte, 1001> bytes[3];
  same.fill(bytes[0]);
  again.fill(bytes[1]);
  other.fill(bytes[2]);
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_NE(bytes[0], bytes[2]);
}

TEST(Random, BelowStaysBelowAndIsFair) {
  SeededRandom random(1);
  for (const std::uint64_t bound : {UINT64_C(1), UINT64_C(2), UINT64_C(3), UINT64_C(1000),
                                    (UINT64_C(1) << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_LT(random.below(bound), bound);
    }
  }
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) {
    ++counts[random.below(counts.size())];
  }
  for (const int count : counts) { // 10,000 each; the standard deviation is 91
    EXPECT_NEAR(count, 10'000, 500);
  }
}

TEST(Random, BelowDrawsAgainFromTheIncompleteStretch) {
  ScriptedRandom random({UINT64_MAX, UINT64_MAX - 5, UINT64_MAX - 6, 5});
  EXPECT_EQ(random.below(10), 9U); // 2^64 - 7 = ...609
  EXPECT_EQ(random.used(), 3U);
  EXPECT_DEATH(static_cast<void>(random.below(0)), "");
}

TEST(Random, TheSystemsBytesDoNotRepeat) {
  SystemRandom random;
  SystemRandom second;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 2000; ++i) { // across several draws of the pool
    EXPECT_TRUE(seen.insert(random.next()).second);
    EXPECT_TRUE(seen.insert(second.next()).second);
  }
  std::vector<std::byte> large(100'000);
  random.fill(large);
  std::array<int, 256> counts{};
  for (const std::byte byte : large) {
    ++counts[std::to_integer<std::size_t>(byte)];
  }
  for (const int count : counts) { // 390 each, standard deviation 20
    EXPECT_NEAR(count, 390, 200);
  }
}

TEST(Uuid, HasTheFormOfVersionFour) {
  SeededRandom random(9);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = make_uuid(random);
    ASSERT_EQ(text.size(), 36U);
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      ASSERT_EQ(text[at] == '-', dash) << text;
      ASSERT_TRUE(dash || std::string_view("0123456789abcdef").find(text[at]) != std::string::npos);
    }
    ASSERT_EQ(text[14], '4');
    ASSERT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos);
    ASSERT_TRUE(seen.insert(text).second);
  }
}

} // namespace
} // namespace culvert
