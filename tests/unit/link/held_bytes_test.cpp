#include "link/held_bytes.hpp"

#include "unit/link/link_suite.hpp"

#include <algorithm>
#include <array>

namespace culvert::test {
namespace {

class HeldBytesTest : public testing::Test {
protected:
  void append(HeldBytes &held, std::size_t size) {
    std::vector<std::byte> bytes(size);
    fill_coded(bytes, 1, appended);
    held.append(bytes);
    appended += size;
  }
  /// Checks and consumes the front.
  void consume(HeldBytes &held, std::size_t size) {
    std::array<std::span<const std::byte>, kGatherParts> parts;
    const std::size_t count = held.front(parts);
    std::vector<std::byte> front;
    for (std::size_t i = 0; i < count; ++i) {
      front.insert(front.end(), parts[i].begin(), parts[i].end());
    }
    ASSERT_GE(front.size(), size);
    std::vector<std::byte> expected(front.size());
    fill_coded(expected, 1, consumed);
    EXPECT_EQ(front, expected);
    held.consume(size);
    consumed += size;
  }

  LinkLab lab{make_sim_world()};
  std::size_t appended = 0;
  std::size_t consumed = 0;
};

TEST_F(HeldBytesTest, KeepsOrderAcrossBlocksAndCountsInTheBudget) {
  HeldBytes held(lab.shard().held);
  for (int round = 0; round < 300; ++round) {
    append(held, lab.random().below(70'000));
    consume(held, lab.random().below(held.size() + 1));
    EXPECT_EQ(held.size(), appended - consumed);
    EXPECT_EQ(lab.shard().held.held(), held.size());
    EXPECT_LT(held.memory(), held.size() + 2 * kHeldBlockBytes);
    if (held.size() > 1'000'000) {
      consume(held, held.size());
    }
  }
}

TEST_F(HeldBytesTest, KeepsNoMemoryWhenEmpty) {
  HeldBytes held(lab.shard().held);
  append(held, 100'000);
  EXPECT_GT(held.memory(), 100'000U);
  consume(held, 100'000);
  EXPECT_EQ(held.memory(), 0U);
  append(held, 1);
  held.clear();
  EXPECT_EQ(held.memory(), 0U);
  EXPECT_EQ(lab.shard().held.held(), 0U);
}

TEST_F(HeldBytesTest, MovesBetweenBudgets) {
  HeldBytes held(lab.shard().held);
  append(held, 50'000);
  held.release();
  EXPECT_EQ(lab.shard().held.held(), 0U);
  held.take_over(lab.other_shard().held);
  EXPECT_EQ(lab.other_shard().held.held(), 50'000U);
  consume(held, 50'000);
  EXPECT_EQ(lab.other_shard().held.held(), 0U);
}

TEST_F(HeldBytesTest, DiesOnTheWayBetweenBudgets) {
  auto held = std::make_unique<HeldBytes>(lab.shard().held);
  append(*held, 50'000);
  held->release();
  held.reset();
  EXPECT_EQ(lab.shard().held.held(), 0U);
}

} // namespace
} // namespace culvert::test
