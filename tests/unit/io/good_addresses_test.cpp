// Addresses that a dial tries first: how many are remembered.
#include "io/good_addresses.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

TEST(GoodAddressesTest, TheOldestIsForgottenWhenThereIsNoRoom) {
  ShardLimits limits;
  limits.good_addresses = 2;
  GoodAddresses good(limits);
  std::vector<Address> known;
  for (const char *host : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) {
    known.push_back(*Address::from_literal(host, 1));
    good.remember(known.back(), 0);
  }
  const Address other = *Address::from_literal("10.0.0.9", 1);
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::vector<Address> addresses{other, known[i]};
    good.put_first(addresses, 1);
    EXPECT_EQ(addresses.front() == known[i], i != 0) << i;
  }
}

} // namespace
} // namespace culvert::test
