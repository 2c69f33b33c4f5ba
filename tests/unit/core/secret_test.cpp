#include "culvert/secret.hpp"

#include "unit/sanitized.hpp"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace {
// Not in a class: the allocator's functions below see what a block holds when it is given back.
const void *watched = nullptr;
char last_words[8] = {};
} // namespace

#ifndef CULVERT_TEST_SANITIZED
void *operator new[](std::size_t size) {
  void *block = std::malloc(size);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}
void operator delete[](void *block) noexcept {
  if (block != nullptr && block == watched) {
    std::memcpy(last_words, block, sizeof last_words);
    watched = nullptr;
  }
  std::free(block);
}
void operator delete[](void *block, std::size_t) noexcept {
  operator delete[](block);
}
#endif

namespace culvert {
namespace {

constexpr std::string_view kKey = "topsecret"; // longer than last_words

void watch(const Secret &secret) {
  watched = secret.bytes().data();
  std::memset(last_words, '?', sizeof last_words);
}

void expect_wiped() {
  EXPECT_EQ(watched, nullptr) << "the block was not given back";
  EXPECT_EQ(std::string(last_words, sizeof last_words), std::string(sizeof last_words, '\0'));
}

class WipedSecret : public testing::Test {
protected:
  void SetUp() override {
#ifdef CULVERT_TEST_SANITIZED
    GTEST_SKIP() << "a sanitizer gives memory back itself";
#endif
  }
};

TEST_F(WipedSecret, WhenItDies) {
  std::optional<Secret> secret(kKey);
  watch(*secret);
  secret.reset();
  expect_wiped();
}

TEST_F(WipedSecret, WhenAnotherIsMovedOverIt) {
  Secret first(kKey);
  Secret second(std::string_view("the other key"));
  watch(first);
  first = std::move(second);
  expect_wiped();
  EXPECT_EQ(first.reveal(), "the other key");
  EXPECT_TRUE(second.empty()); // NOLINT: what is left of it is part of the contract
}

TEST(Secret, AMoveHandsTheBytesOverWithoutACopy) {
  Secret first(kKey);
  const std::byte *place = first.bytes().data();
  Secret second(std::move(first));
  EXPECT_EQ(second.bytes().data(), place);
  EXPECT_TRUE(first.empty());         // NOLINT
  EXPECT_EQ(first.reveal(), "");      // NOLINT
  EXPECT_TRUE(first.clone().empty()); // NOLINT
  Secret &same = second;
  second = std::move(same);
  EXPECT_EQ(second.reveal(), kKey);
}

TEST(Secret, CleanseAlsoWipesAShortText) {
  std::string text = "short"; // inside the string object itself
  const char *place = text.data();
  cleanse(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(std::string(place, 5), std::string(5, '\0'));
}

} // namespace
} // namespace culvert
