// The lines of one role among several.
#include "role/role_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace culvert::test {
namespace {

class LinesLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= LogLevel::kInfo; }
  void write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string &line = lines.emplace_back(message);
    for (const LogField &field : fields) {
      line += " " + std::string(field.name) + "=" + field.value;
    }
  }
  std::vector<std::string> lines;
};

TEST(RoleLog, EachLineNamesTheRoleInFrontOfItsFields) {
  LinesLog lines;
  RoleLog log(lines, "listener", "pg");
  log.write(LogLevel::kInfo, "none", {});
  log.write(LogLevel::kWarn, "two", {{"a", "1"}, {"b", "2"}});
  log.write(LogLevel::kDebug, "not enabled", {});
  EXPECT_EQ(lines.lines, (std::vector<std::string>{"none role=listener name=pg",
                                                   "two role=listener name=pg a=1 b=2"}));
}

TEST(RoleLog, TheOnlyRoleHasNoNameAndItsLinesStayAsTheyAre) {
  LinesLog lines;
  RoleLog(lines, "sender", "").write(LogLevel::kInfo, "one", {{"a", "1"}});
  EXPECT_EQ(lines.lines, std::vector<std::string>{"one a=1"});
}

} // namespace
} // namespace culvert::test
