// Each bound that may be set: described once, and refused by name when it is out of its range.
#include "culvert/limits.hpp"

#include <gtest/gtest.h>

#include <set>

namespace culvert::test {
namespace {

template <typename Limits> class LimitFieldsTest : public testing::Test {};
using AllLimits = testing::Types<ShardLimits, RelayLimits, ClientLimits>;
TYPED_TEST_SUITE(LimitFieldsTest, AllLimits);

TYPED_TEST(LimitFieldsTest, TheTableHasEachFieldOnceAndItsDefaultIsInItsRange) {
  const auto fields = limit_fields<TypeParam>();
  EXPECT_EQ(fields.size() * sizeof(std::uint64_t), sizeof(TypeParam));
  std::set<std::string_view> names;
  TypeParam marked;
  for (const auto &field : fields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_LE(field.least, field.standard()) << field.name;
    EXPECT_GE(field.most, field.standard()) << field.name;
    EXPECT_NE(marked.*field.field, UINT64_MAX) << field.name << " is another one's field";
    marked.*field.field = UINT64_MAX;
    const bool has_unit = field.name.ends_with("_ms") || field.name.ends_with("_bytes");
    EXPECT_EQ(field.unit, field.name.ends_with("_ms") ? "ms" : has_unit ? "bytes" : "");
  }
  EXPECT_TRUE(check_limits(TypeParam{}).ok());
}

TYPED_TEST(LimitFieldsTest, AFieldOutOfItsRangeIsRefusedByNameWithItsRange) {
  for (const auto &field : limit_fields<TypeParam>()) {
    TypeParam limits;
    for (const std::uint64_t good : {field.least, field.most}) {
      limits.*field.field = good;
      EXPECT_TRUE(check_limits(limits).ok()) << field.name << " " << good;
    }
    const std::string unit = field.unit.empty() ? "" : " " + std::string(field.unit);
    const std::string range =
        std::to_string(field.least) + " to " + std::to_string(field.most) + unit;
    for (const std::uint64_t bad : {field.least - 1, field.most + 1}) { // under 0 it wraps
      limits.*field.field = bad;
      const Status status = check_limits(limits);
      EXPECT_EQ(status.source, Source::kConfig);
      EXPECT_EQ(status.message, "limit '" + std::string(field.name) + "' is " +
                                    std::to_string(bad) + unit + "; write " + range);
    }
  }
}

} // namespace
} // namespace culvert::test
