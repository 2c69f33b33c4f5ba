#include "resolver_dns/cache.hpp"

#include <gtest/gtest.h>

namespace dns {
namespace {

culvert_address address(std::uint8_t last) {
  return {CULVERT_IPV4, {10, 0, 0, last}};
}

TEST(DnsCache, AnAnswerIsFreshForItsTtl) {
  Cache cache;
  cache.put("a", {address(1)}, 5, 1'000);
  ASSERT_NE(cache.fresh("a", 5'999), nullptr);
  EXPECT_EQ(cache.fresh("a", 5'999)->addresses.size(), 1U);
  EXPECT_EQ(cache.fresh("a", 6'000), nullptr);
  EXPECT_EQ(cache.fresh("b", 1'000), nullptr);
  cache.put("zero", {address(1)}, 0, 1'000);
  EXPECT_EQ(cache.fresh("zero", 1'000), nullptr);
}

TEST(DnsCache, ATtlHasABoundAndThatOfNoAddressASmallerOne) {
  Cache cache;
  const Known &found = cache.put("a", {address(1)}, UINT32_MAX, 0);
  EXPECT_EQ(found.fresh_until_ms, 86'400'000U);
  const Known &none = cache.put("b", {}, UINT32_MAX, 0);
  EXPECT_EQ(none.fresh_until_ms, 60'000U);
  EXPECT_EQ(cache.put("c", {}, 7, 0).fresh_until_ms, 7'000U);
}

TEST(DnsCache, TheLastAddressesAreKeptForAnHour) {
  Cache cache;
  cache.put("a", {address(1)}, 10, 0);
  const Known *const revived = cache.revive("a", 20'000);
  ASSERT_NE(revived, nullptr);
  EXPECT_EQ(revived->fresh_until_ms, 50'000U) << "the servers are asked again after 30 s";
  EXPECT_NE(cache.fresh("a", 49'999), nullptr);
  EXPECT_NE(cache.revive("a", 10'000 + 3'600'000 - 1), nullptr);
  EXPECT_EQ(cache.fresh("a", 10'000 + 3'600'000), nullptr) << "no longer than it is kept";
  EXPECT_EQ(cache.revive("a", 10'000 + 3'600'000), nullptr);
}

TEST(DnsCache, NoAddressIsNotKept) {
  Cache cache;
  cache.put("a", {address(1)}, 10, 0);
  cache.put("a", {}, 10, 0);
  EXPECT_EQ(cache.revive("a", 20'000), nullptr);
  EXPECT_EQ(cache.revive("unknown", 0), nullptr);
}

TEST(DnsCache, HasABoundAndDropsWhatEndsFirst) {
  Cache cache;
  cache.put("ends first", {address(1)}, 1, 0);
  for (std::size_t i = 1; i < Cache::kMostNames; ++i) {
    cache.put(std::to_string(i), {address(1)}, 100, 0);
  }
  cache.put("1", {address(2)}, 100, 0);
  EXPECT_NE(cache.fresh("ends first", 0), nullptr) << "a known name needs no room";
  cache.put("new", {address(1)}, 100, 0);
  EXPECT_EQ(cache.fresh("ends first", 0), nullptr);
  EXPECT_NE(cache.fresh("new", 0), nullptr);
  cache.put("much later", {address(1)}, 100, 10'000'000);
  EXPECT_EQ(cache.revive("2", 0), nullptr) << "whatever had ended is gone";
}

} // namespace
} // namespace dns
