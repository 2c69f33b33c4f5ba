// Words for an operator: the nearest one, times and sizes, what may be repeated.
#include "config/setting_values.hpp"
#include "config/written.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

TEST(Words, TheNearestIsFoundWhereItIsNear) {
  const std::vector<std::string> words{"certificate", "private_key", "bind", "names"};
  EXPECT_EQ(nearest_word("certificat", words), "certificate");
  EXPECT_EQ(nearest_word("Certificates", words), "certificate");
  EXPECT_EQ(nearest_word("privatekey", words), "private_key");
  EXPECT_EQ(nearest_word("priavte_key", words), "private_key"); // two letters swapped
  EXPECT_EQ(nearest_word("bnd", words), "bind");
  EXPECT_EQ(nearest_word("name", words), "names");
  EXPECT_EQ(nearest_word("path", words), "");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'c'), words), "");
}

TEST(Words, TimesAndSizesHaveTheirLargestWholeUnit) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(250), "250ms");
  EXPECT_EQ(duration_text(1'500), "1500ms");
  EXPECT_EQ(duration_text(10'000), "10s");
  EXPECT_EQ(duration_text(300'000), "5min");
  EXPECT_EQ(duration_text(7'200'000), "2h");
  EXPECT_EQ(duration_text(86'400'000), "1d");
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(262'208), "262208 B");
  EXPECT_EQ(size_text(65'536), "64 KiB");
  EXPECT_EQ(size_text(1ULL << 40U), "1 TiB");
}

TEST(Words, ATextInQuotesIsShortAndHasNoControlCharacters) {
  EXPECT_EQ(in_quotes("a\nb\x1b[1m"), "'a?b?[1m'");
  EXPECT_EQ(in_quotes(std::string(400, 'x')), "'" + std::string(300, 'x') + "...'");
}

} // namespace
} // namespace culvert::test
