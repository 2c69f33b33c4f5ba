#include "core/random.hpp"
#include "core/slab.hpp"

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <vector>

namespace culvert {
namespace {

TEST(Slab, AHandleThatOutlivesItsObjectFindsNothing) {
  Slab<int> slab(2);
  const SlabHandle first = slab.make(1).value();
  slab.erase(first);
  EXPECT_EQ(slab.find(first), nullptr);
  const SlabHandle second = slab.make(2).value();
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(slab.find(first), nullptr);
  EXPECT_EQ(*slab.find(second), 2);
  EXPECT_EQ(slab.find({}), nullptr); // of a handle that was never given
  EXPECT_EQ(slab.find({7, 1}), nullptr);
  EXPECT_EQ(slab.find({UINT32_MAX, 1}), nullptr);
}

TEST(Slab, NeverMoreThanTheCapacity) {
  Slab<int> slab(3);
  std::vector<SlabHandle> handles;
  for (int i = 0; i < 3; ++i) {
    handles.push_back(slab.make(i).value());
  }
  EXPECT_FALSE(slab.make(3).has_value());
  slab.erase(handles[1]);
  EXPECT_TRUE(slab.make(4).has_value());
  EXPECT_FALSE(slab.make(5).has_value());
  EXPECT_EQ(slab.size(), 3U);
  EXPECT_FALSE(Slab<int>(0).make(1).has_value());
}

TEST(Slab, ObjectsDieWhenErasedAndStayInPlaceTillThen) {
  Slab<std::shared_ptr<int>> slab(1000);
  const auto shared = std::make_shared<int>(5);
  const SlabHandle handle = slab.make(shared).value();
  const auto *place = slab.find(handle);
  for (int i = 0; i < 999; ++i) {
    ASSERT_TRUE(slab.make().has_value());
  }
  EXPECT_EQ(slab.find(handle), place);
  EXPECT_EQ(shared.use_count(), 2);
  slab.erase(handle);
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Slab, AVisitorMayEraseWhatItIsGiven) {
  Slab<int> slab(10);
  for (int i = 0; i < 10; ++i) {
    slab.make(i);
  }
  int visited = 0;
  slab.for_each([&](SlabHandle handle, int &value) {
    ++visited;
    if (value % 2 == 0) {
      slab.erase(handle);
    }
  });
  EXPECT_EQ(visited, 10);
  EXPECT_EQ(slab.size(), 5U);
  slab.for_each([&](SlabHandle, int &value) { EXPECT_EQ(value % 2, 1); });
}

TEST(Slab, RandomUseAgreesWithAMap) {
  SeededRandom random(11);
  Slab<std::uint64_t> slab(64);
  std::map<std::uint64_t, SlabHandle> living;
  std::vector<SlabHandle> dead;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    if (random.below(2) == 0) {
      const std::optional<SlabHandle> handle = slab.make(step);
      ASSERT_EQ(handle.has_value(), living.size() < 64);
      if (handle) {
        living[step] = *handle;
      }
    } else if (!living.empty()) {
      auto chosen = std::next(living.begin(), static_cast<long>(random.below(living.size())));
      ASSERT_EQ(*slab.find(chosen->second), chosen->first);
      slab.erase(chosen->second);
      dead.push_back(chosen->second);
      living.erase(chosen);
    }
    ASSERT_EQ(slab.size(), living.size());
    ASSERT_TRUE(dead.empty() || slab.find(dead[random.below(dead.size())]) == nullptr);
  }
  EXPECT_DEATH(slab.erase(dead.front()), "");
}

} // namespace
} // namespace culvert
