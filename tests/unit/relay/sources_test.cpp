#include "role/relay/sources.hpp"

#include <gtest/gtest.h>

namespace culvert {
namespace {

struct SourceRow {
  const char *peer;
  const char *source;
};

TEST(SourceOf, IsOneForEveryAddressThatAHostMayChoose) {
  const SourceRow rows[] = {
      {"10.0.0.2", "10.0.0.2"},
      {"10.0.0.3", "10.0.0.3"},
      {"::ffff:10.0.0.2", "10.0.0.2"},
      {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
      {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
      {"2001:db8:1:3::1", "2001:db8:1:3::/64"},
      {"fe80::1", "fe80::/64"},
      {"::1", "::/64"},
      {"::fffe:10.0.0.2", "::/64"},
  };
  for (const SourceRow &row : rows) {
    EXPECT_EQ(source_of(Address::from_literal(row.peer, 1'234).value_or(Address{})), row.source)
        << row.peer;
  }
  EXPECT_EQ(source_of(Address::unix_path("/run/relay")), "");
}

TEST(NetworkOf, IsTheNetworkOfASite) {
  const SourceRow rows[] = {
      {"10.0.7.2", "10.0.7.0/24"},
      {"::ffff:10.0.7.2", "10.0.7.0/24"},
      {"2001:db8:1:2::1", "2001:db8:1::/48"},
      {"2001:db8:1:ffff::1", "2001:db8:1::/48"},
      {"2001:db8:2:2::1", "2001:db8:2::/48"},
  };
  for (const SourceRow &row : rows) {
    EXPECT_EQ(network_of(Address::from_literal(row.peer, 1'234).value_or(Address{})), row.source)
        << row.peer;
  }
  EXPECT_EQ(network_of(Address::unix_path("/run/relay")), "");
}

class RefusalsTest : public testing::Test {
protected:
  static constexpr std::uint64_t kSecond = 1'000'000'000;
  std::uint64_t refused(const std::string &source, Code why, std::uint64_t at_ns) {
    const FailureCount::Failure refusal = sources.refused(source, why, limits, at_ns);
    return refusal.told ? refusal.count : 0;
  }

  RelayLimits limits;
  Sources sources;
};

TEST_F(RefusalsTest, AreLinesAtAFallingRate) {
  std::size_t lines = 0;
  for (int i = 0; i < 292'000; ++i) {
    lines += refused("a", Code::kTokenSignature, kSecond) > 0 ? 1 : 0;
  }
  EXPECT_EQ(lines, limits.refusals_logged_per_source + 14); // 32, 64, .. 262144
  EXPECT_EQ(refused("a", Code::kTokenMissing, kSecond), 292'001U);
  EXPECT_EQ(refused("a", Code::kTokenMissing, kSecond), 0U);
  EXPECT_EQ(refused("b", Code::kTokenMissing, kSecond), 1U); // another's
}

TEST_F(RefusalsTest, AreRememberedForAWhile) {
  limits.refusals_logged_per_source = 1;
  limits.refusal_memory_ms = 5'000;
  EXPECT_EQ(refused("a", Code::kGone, 1 * kSecond), 1U);
  EXPECT_EQ(refused("a", Code::kGone, 2 * kSecond), 2U);
  EXPECT_EQ(refused("a", Code::kGone, 6 * kSecond), 0U);
  EXPECT_EQ(refused("a", Code::kGone, 11 * kSecond), 1U);
}

TEST_F(RefusalsTest, OfMoreSourcesThanHaveRoomAreThoseOfOne) {
  limits.refused_sources = 2;
  limits.refusals_logged_per_source = 1;
  limits.refusals_burst_per_source = 1;
  EXPECT_EQ(refused("a", Code::kGone, kSecond), 1U);
  EXPECT_EQ(refused("b", Code::kGone, kSecond), 1U);
  EXPECT_EQ(refused("c", Code::kGone, kSecond), 1U);
  EXPECT_EQ(refused("d", Code::kGone, kSecond), 2U);
  EXPECT_EQ(refused("e", Code::kGone, kSecond), 0U);
  EXPECT_EQ(refused("a", Code::kGone, kSecond), 2U);
  for (int i = 0; i < 10; ++i) {
    sources.spent("c", limits, kSecond);
  }
  for (const char *source : {"c", "d"}) { // nobody pays for others
    EXPECT_EQ(sources.take_seat({source, "n"}, limits, kSecond).answer, Sources::Answer::kTaken);
  }
  // Who is remembered no more leaves room.
  EXPECT_EQ(refused("f", Code::kGone, 100 * kSecond), 1U);
  EXPECT_EQ(refused("f", Code::kGone, 100 * kSecond), 2U);
  EXPECT_EQ(refused("g", Code::kGone, 100 * kSecond), 1U);
  EXPECT_EQ(refused("h", Code::kGone, 100 * kSecond), 1U);
  EXPECT_EQ(refused("i", Code::kGone, 100 * kSecond), 2U);
  for (const char *source : {"c", "d"}) {
    sources.leave_seat({source, "n"}, Seat::kStranger);
  }
  EXPECT_TRUE(sources.idle());
}

TEST_F(RefusalsTest, CostTheirSourceItsTurnAndNobodyElse) {
  limits.refusals_burst_per_source = 10;
  limits.refusals_burst_per_known_source = 15;
  limits.refusals_per_second_per_source = 2;
  const auto taken = [&](const std::string &source, std::uint64_t at_ns) {
    const Sources::Admission admission = sources.take_seat({source, "n"}, limits, at_ns);
    if (admission.answer == Sources::Answer::kTaken) {
      sources.leave_seat({source, "n"}, admission.seat);
    }
    return admission.answer == Sources::Answer::kTaken;
  };
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(taken("a", kSecond)) << i;
    sources.spent("a", limits, kSecond);
  }
  EXPECT_FALSE(taken("a", kSecond));
  EXPECT_TRUE(taken("b", kSecond));
  sources.came("a"); // a listener of it, or a tunnel: it may fail 15 times at once
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(taken("a", kSecond)) << i;
    sources.spent("a", limits, kSecond);
  }
  EXPECT_FALSE(taken("a", kSecond));
  EXPECT_TRUE(taken("a", kSecond + kSecond / 2 + 1));
  sources.went("a");
  EXPECT_FALSE(taken("a", 3 * kSecond));
  constexpr std::uint64_t kPaid = 3 * kSecond + kSecond / 2 + 1;
  EXPECT_TRUE(taken("a", kPaid));
  sources.spent("a", limits, kPaid);
  EXPECT_FALSE(taken("a", kPaid));
  EXPECT_TRUE(taken("a", 10 * kSecond));
  EXPECT_TRUE(sources.idle());
}

TEST_F(RefusalsTest, OfASourceThatWasKnownHoldItBackNoLongerThanThoseOfAStranger) {
  sources.came("a");
  for (std::uint64_t i = 0; i < limits.refusals_burst_per_known_source; ++i) {
    sources.spent("a", limits, kSecond);
  }
  sources.went("a");
  const std::uint64_t most_ns =
      limits.unauthenticated_per_source * kSecond / limits.refusals_per_second_per_source;
  EXPECT_EQ(sources.take_seat({"a", "n"}, limits, kSecond).answer,
            Sources::Answer::kRefusedTooOften);
  EXPECT_EQ(sources.take_seat({"a", "n"}, limits, kSecond + most_ns + 1).answer,
            Sources::Answer::kTaken);
}

} // namespace
} // namespace culvert
