#include "core/delegate.hpp"
#include "culvert/status.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>

namespace culvert {
namespace {

struct Owner {
  void take(std::unique_ptr<int> value) { taken = std::move(value); }
  void change(int &value) { value = 7; }
  std::unique_ptr<int> taken;
};

TEST(Delegate, PassesArgumentsThroughAndIsEmptyAtFirst) {
  Owner owner;
  Delegate<std::unique_ptr<int>> take;
  EXPECT_FALSE(take);
  take = Delegate<std::unique_ptr<int>>::to<&Owner::take>(owner);
  EXPECT_TRUE(take);
  take(std::make_unique<int>(3));
  EXPECT_EQ(*owner.taken, 3);
  int value = 0;
  Delegate<int &>::to<&Owner::change>(owner)(value);
  EXPECT_EQ(value, 7);
  static_assert(sizeof(take) == 2 * sizeof(void *));
}

template <typename Enum> void expect_words(Enum last) {
  std::set<std::string_view> seen;
  for (unsigned number = 0; number <= static_cast<unsigned>(last); ++number) {
    const std::string_view text = word(static_cast<Enum>(number));
    EXPECT_FALSE(text.empty()) << number;
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
}

TEST(StatusWords, EveryValueHasOneOfItsOwn) {
  expect_words(Code::kNoneAllowed);
  expect_words(Source::kProxy);
  expect_words(Retry::kNewToken);
  EXPECT_EQ(word(Code::kOk), "ok");
  EXPECT_EQ(word(Code::kNoListener), "no-listener");
  EXPECT_EQ(word(Code::kInternal), "internal");
  EXPECT_EQ(word(Source::kTarget), "target");
  EXPECT_EQ(word(Retry::kBackoff), "backoff");
}

TEST(Status, ADefaultIsSuccessAndAResultIsOneOfTwo) {
  EXPECT_TRUE(Status{}.ok());
  const Status wrong = Status::config("--bind wants a port");
  EXPECT_EQ(wrong.code, Code::kConfig);
  EXPECT_EQ(wrong.source, Source::kConfig);
  EXPECT_EQ(wrong.retry, Retry::kNever);
  const Result<std::string> value(std::string("text"));
  const Result<std::string> failure(wrong);
  EXPECT_TRUE(value.ok());
  EXPECT_EQ(value.value(), "text");
  EXPECT_FALSE(failure.ok());
  EXPECT_EQ(failure.status().message, "--bind wants a port");
}

} // namespace
} // namespace culvert
