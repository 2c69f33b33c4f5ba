// Text that several layers change the same way.
#include "core/text.hpp"

#include <gtest/gtest.h>

#include <iterator>

namespace culvert {
namespace {

TEST(Text, OnlyAsciiLettersAreMadeLowerCase) {
  EXPECT_EQ(lower_case(std::string_view("AZaz09@[`{-\xC3\x84")), "azaz09@[`{-\xC3\x84");
  EXPECT_EQ(lower_case('Q'), 'q');
}

TEST(Text, ControlCharactersAreThoseOfAscii) {
  for (int code = 0; code < 256; ++code) {
    EXPECT_EQ(is_control(static_cast<char>(code)), code < 32 || code == 127) << code;
  }
}

TEST(Text, Utf8IsCutBetweenCharactersOnly) {
  const std::string_view text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"; // of 1, 2, 3 and 4 bytes
  const std::size_t sizes[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t most = 0; most < std::size(sizes); ++most) {
    EXPECT_EQ(cut_utf8(text, most), text.substr(0, sizes[most])) << most;
  }
}

} // namespace
} // namespace culvert
