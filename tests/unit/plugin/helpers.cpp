// The inline helpers of the SDK, at their borders.
#include "culvert/helpers.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace culvert::test {
namespace {

std::string text(culvert_view view) {
  return view.size == 0 ? "" : std::string(view.data, view.size);
}

TEST(Helpers, ViewsCompareExactlyIgnoringCaseAndInConstantTime) {
  const auto same = [](const char *left, const char *right) {
    const culvert_view a = culvert_view_text(left);
    const culvert_view b = culvert_view_text(right);
    EXPECT_EQ(culvert_view_equal(a, b), culvert_view_equal_secret(a, b));
    return culvert_view_equal(a, b) * 10 + culvert_view_same_word(a, b);
  };
  EXPECT_EQ(same("Abc", "Abc"), 11);
  EXPECT_EQ(same("Abc", "aBC"), 1);
  EXPECT_EQ(same("abc", "abd"), 0);
  EXPECT_EQ(same("abc", "ab"), 0);
  EXPECT_EQ(same("[", "{"), 0); // differ by the bit of the case
  EXPECT_EQ(same("", nullptr), 11);
}

TEST(Helpers, SplitAndTrim) {
  const auto split = [](const char *whole) {
    std::vector<std::string> parts;
    culvert_view rest = culvert_view_text(whole);
    culvert_view part;
    while (culvert_view_split(&rest, ',', &part) != 0) {
      parts.push_back(text(culvert_view_trim(part)));
    }
    return parts;
  };
  EXPECT_EQ(split(""), (std::vector<std::string>{}));
  EXPECT_EQ(split("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(split(" a ,,\tb\t,"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split(" "), (std::vector<std::string>{""}));
}

TEST(Helpers, NumbersHaveBounds) {
  const auto number = [](const char *digits, std::uint64_t most) -> long long {
    std::uint64_t value = 0;
    return culvert_view_number(culvert_view_text(digits), most, &value) != 0
               ? static_cast<long long>(value)
               : -1;
  };
  EXPECT_EQ(number("0", 0), 0);
  EXPECT_EQ(number("65535", 65'535), 65'535);
  EXPECT_EQ(number("65536", 65'535), -1);
  EXPECT_EQ(number("7", 5), -1);
  EXPECT_EQ(number("", 9), -1);
  EXPECT_EQ(number("-1", 9), -1);
  EXPECT_EQ(number("1 ", 9), -1);
  std::uint64_t value = 0;
  EXPECT_EQ(culvert_view_number(culvert_view_text("18446744073709551615"), UINT64_MAX, &value), 1);
  EXPECT_EQ(value, UINT64_MAX);
  EXPECT_EQ(culvert_view_number(culvert_view_text("18446744073709551616"), UINT64_MAX, &value), 0);
}

TEST(Helpers, TheArenaFillsToItsLastByteAndNoFurther) {
  alignas(16) char room[64];
  culvert_arena arena{room, 8, 0};
  culvert_view whole{};
  EXPECT_EQ(culvert_arena_append(&arena, &whole, culvert_view_text("12345")), 1);
  EXPECT_EQ(culvert_arena_append(&arena, &whole, culvert_view_text("678")), 1);
  EXPECT_EQ(culvert_arena_append(&arena, &whole, culvert_view_text("9")), 0);
  EXPECT_EQ(text(whole), "12345678");
  EXPECT_EQ(culvert_arena_room(&arena, 1, 1), nullptr);
  arena = {room, sizeof room, 0};
  culvert_view first{};
  culvert_view second{};
  EXPECT_EQ(culvert_arena_copy(&arena, culvert_view_text("abc"), &first), 1);
  culvert_view *views = culvert_arena_views(&arena, 2);
  ASSERT_NE(views, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(views) % alignof(culvert_view), 0U);
  EXPECT_EQ(culvert_arena_append(&arena, &first, culvert_view_text("d")), 0); // not the last
  EXPECT_EQ(culvert_arena_format(&arena, &second, "%d-%.*s", 7, CULVERT_PRINT(first)), 1);
  EXPECT_EQ(text(second), "7-abc");
  EXPECT_EQ(culvert_arena_format(&arena, &second, "%100d", 7), 0);
  EXPECT_EQ(culvert_arena_views(&arena, SIZE_MAX / 8), nullptr);
  EXPECT_EQ(culvert_arena_fields(&arena, SIZE_MAX / 8), nullptr);
}

TEST(Helpers, AFailureIsCutAndReturnsZero) {
  culvert_status status{};
  const std::string long_text(600, 'x');
  EXPECT_EQ(culvert_fail(&status, CULVERT_PROTOCOL, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NOW, "%s",
                         long_text.c_str()),
            0U);
  EXPECT_EQ(std::string(status.message), std::string(511, 'x'));
  EXPECT_EQ(status.code, std::uint32_t{CULVERT_PROTOCOL});
}

} // namespace
} // namespace culvert::test
