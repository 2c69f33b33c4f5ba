// Numbers that a plugin writes, at both of their bounds: what is taken and what is refused.
#pragma once

#include "culvert/status.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace culvert::test {

using Numbers = std::vector<std::int64_t>;
/// What the engine says of a struct that is right but for this number.
using Read = std::function<Status(std::int64_t)>;

struct Row {
  const char *number;
  Read read;
  Numbers taken;
  Numbers refused;
};

inline constexpr std::int64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::int64_t kMost64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kLeast64 = std::numeric_limits<std::int64_t>::min();

inline void check(const std::vector<Row> &rows) {
  for (const Row &row : rows) {
    for (const std::int64_t number : row.taken) {
      const Status status = row.read(number);
      EXPECT_TRUE(status.ok()) << row.number << " " << number << ": " << status.message;
    }
    for (const std::int64_t number : row.refused) {
      const Status status = row.read(number);
      EXPECT_EQ(status.source, Source::kPlugin) << row.number << " " << number;
      EXPECT_EQ(status.message.find("plugin test_plugin"), 0U) << status.message;
    }
  }
}

} // namespace culvert::test
