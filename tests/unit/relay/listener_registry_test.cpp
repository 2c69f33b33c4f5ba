#include "role/relay/listener_registry.hpp"

#include <gtest/gtest.h>

#include <map>

namespace culvert::test {
namespace {

RegisteredListener listener(std::string entity, std::string id, std::uint32_t slot,
                            const std::string &protocol = "p") {
  return {std::move(entity), protocol, std::move(id), {0, {slot, 1}}, "relay", 443};
}

class RegistryTest : public testing::Test {
protected:
  /// The id chosen, or the word of the failure.
  std::string choose(const Wish &wish, const std::vector<ChannelRef> &tried = {}) {
    const auto chosen = registry.choose(wish, tried, random);
    return chosen.ok() ? chosen.value().id : std::string(word(chosen.status().code));
  }

  /// The channel that it replaced.
  std::optional<ChannelRef> add(RegisteredListener listener) {
    const auto added = registry.add(std::move(listener), 25);
    EXPECT_TRUE(added.ok()) << added.status().message;
    return added.ok() ? added.value() : std::nullopt;
  }

  SeededRandom random{1};
  ListenerRegistry registry;
};

TEST_F(RegistryTest, AnEntityTakesItsMostListenersAndOneMoreOnlyInPlaceOfAnother) {
  add(listener("a", "one", 1));
  add(listener("a", "two", 2));
  const auto third = registry.add(listener("A", "three", 3), 2);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.status().code, Code::kQuota);
  EXPECT_EQ(third.status().message, "the entity has 2 listeners, which is the limit");
  EXPECT_TRUE(registry.add(listener("b", "three", 3), 2).ok());
  const auto again = registry.add(listener("a", "two", 4), 2);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again.value().has_value());
  registry.remove("a", {0, {1, 1}});
  EXPECT_TRUE(registry.add(listener("a", "three", 3), 2).ok());
}

TEST_F(RegistryTest, EveryFittingListenerGetsItsShare) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    add(listener("a", "l" + std::to_string(i), i));
  }
  std::map<std::string, int> count;
  for (int i = 0; i < 300; ++i) {
    ++count[choose({"a", "p", {}, {}})];
  }
  ASSERT_EQ(count.size(), 3U);
  for (const auto &[id, times] : count) {
    EXPECT_GT(times, 60) << id;
  }
}

TEST_F(RegistryTest, OnlyListenersOfTheWishAreChosen) {
  add(listener("a", "one", 1));
  add(listener("a", "two", 2));
  add(listener("a", "other protocol", 3, "q"));
  add(listener("b", "other entity", 4));
  EXPECT_EQ(choose({"a", "p", {"two"}, {}}), "two");
  EXPECT_EQ(choose({"a", "p", {}, {"two"}}), "one");
  EXPECT_EQ(choose({"a", "p", {}, {}}, {{0, {1, 1}}}), "two");
  EXPECT_EQ(choose({"a", "q", {}, {}}), "other protocol");
  EXPECT_EQ(choose({"a", "p", {"two"}, {"two"}}), word(Code::kNoneAllowed));
  EXPECT_EQ(choose({"a", "p", {"other protocol"}, {}}), word(Code::kNoneAllowed));
  EXPECT_EQ(choose({"a", "p", {"two"}, {}}, {{0, {2, 1}}}), word(Code::kNoneAllowed));
  EXPECT_EQ(choose({"a", "q", {}, {}}, {{0, {3, 1}}}), word(Code::kNoListener));
  EXPECT_EQ(choose({"c", "p", {"two"}, {}}), word(Code::kNoListener));
  EXPECT_EQ(choose({"c", "p", {}, {}}), word(Code::kNoListener));
}

TEST_F(RegistryTest, AKnownIdReplacesItsOldRegistrationOfTheSameProtocol) {
  EXPECT_FALSE(add(listener("a", "same", 1)));
  EXPECT_FALSE(add(listener("a", "same", 2, "q")));
  EXPECT_FALSE(add(listener("b", "same", 3)));
  const auto replaced = add(listener("a", "same", 4));
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->slot.index, 1U);
  EXPECT_EQ(registry.size(), 3U);
  // The old channel's own farewell must not take the new one away.
  registry.remove("a", *replaced);
  EXPECT_EQ(choose({"a", "p", {}, {}}), "same");
  registry.remove("a", {0, {4, 1}});
  EXPECT_EQ(choose({"a", "p", {}, {}}), word(Code::kNoListener));
}

TEST_F(RegistryTest, ListenersWithoutAnIdDoNotReplaceEachOther) {
  EXPECT_FALSE(add(listener("a", "", 1)));
  EXPECT_FALSE(add(listener("a", "", 2)));
  EXPECT_EQ(registry.size(), 2U);
}

TEST_F(RegistryTest, LeastTunnelsGivesToTheIdle) {
  const Wish wish{"a", "p", {}, {}, ListenerChoice::kLeastTunnels};
  add(listener("a", "one", 1));
  add(listener("a", "two", 2));
  registry.tunnel_began("a", {0, {1, 1}});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(registry.choose(wish, {}, random).value().id, "two");
  }
  registry.tunnel_began("a", {0, {2, 1}});
  registry.tunnel_ended("a", {0, {1, 1}});
  EXPECT_EQ(registry.choose(wish, {}, random).value().id, "one");
}

TEST(RegistryLimit, SendersWaitUpToTheLimitsOfEntityAndSource) {
  ListenerRegistry registry;
  RelayLimits limits;
  limits.pending_per_entity = 3;
  limits.pending_per_source = 2;
  const auto admit = [&](const char *entity, const char *source) {
    return registry.admit(entity, source, limits);
  };
  EXPECT_TRUE(admit("a", "x").ok());
  EXPECT_TRUE(admit("a", "x").ok());
  EXPECT_EQ(admit("a", "x").code, Code::kOverload); // of the source
  EXPECT_EQ(admit("b", "x").code, Code::kOverload);
  EXPECT_TRUE(admit("a", "y").ok());
  EXPECT_EQ(admit("a", "z").code, Code::kOverload); // of the entity
  EXPECT_TRUE(admit("b", "z").ok());
  registry.release("a", "x");
  EXPECT_TRUE(admit("a", "z").ok());
  for (int i = 0; i < 3; ++i) { // unix sockets are no source
    EXPECT_TRUE(admit("c", "").ok());
  }
  EXPECT_EQ(admit("c", "").code, Code::kOverload);
  registry.release("c", "");
  EXPECT_TRUE(admit("c", "").ok());
}

} // namespace
} // namespace culvert::test
