#include "role/relay/source_shares.hpp"

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

} // namespace
} // namespace culvert
