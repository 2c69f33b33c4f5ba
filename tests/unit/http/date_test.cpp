// The Date field, written and read.
#include "link/http_date.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

TEST(HttpDate, IsWrittenAndReadBack) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT"); // the RFC's own example
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1'709'164'800), "Thu, 29 Feb 2024 00:00:00 GMT");
  for (const std::int64_t second : {0LL, 784'111'777LL, 1'709'164'800LL, 4'102'444'799LL}) {
    EXPECT_EQ(read_http_date(http_date(second)), second);
  }
}

TEST(HttpDate, AnythingElseIsNoDate) {
  for (const char *text : {"", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nev 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_EQ(read_http_date(text), std::nullopt) << text;
  }
}

} // namespace
} // namespace culvert::test
