// The services a plugin gets, from a unit's host and from an instance's.
#include "core/limits.hpp"
#include "plugin_world.hpp"

#include "culvert/helpers.h"

#include <algorithm>

namespace culvert::test {
namespace {

class Services : public testing::Test {
protected:
  template <typename Service> const Service &get(const PluginHost &host, const char *id) {
    const auto *found = static_cast<const Service *>(host.service(&host, id));
    EXPECT_NE(found, nullptr);
    EXPECT_EQ(found->size, sizeof(Service));
    return *found;
  }
  static std::string text(culvert_view view) { return {view.data, view.size}; }

  PluginWorld world_;
  const PluginHost::Config values_ = std::make_shared<const ConfigValues>(
      ConfigValues{{"text", std::string("a text")},
                   {"integer", std::int64_t{-7}},
                   {"boolean", true},
                   {"secret", SecretReference{9}},
                   {"list", std::vector<std::string>{"x", "y"}}});
  PluginHost unit_{world_.services, "test_plugin", values_};
  PluginHost instance_{world_.services, "test_plugin", values_, world_.shard};
};

TEST_F(Services, AnUnknownIdIsNull) {
  for (const char *id : {"culvert.service.log", "culvert.service.log/1x", "culvert.service.log/2",
                         "", static_cast<const char *>(nullptr)}) {
    EXPECT_EQ(unit_.service(&unit_, id), nullptr);
  }
  EXPECT_EQ(unit_.abi_minor, CULVERT_ABI_MINOR);
  EXPECT_EQ(unit_.size, sizeof(culvert_host));
}

TEST_F(Services, ConfigGivesTypedValuesAndZeroForAllElse) {
  for (const PluginHost *host : {&unit_, &instance_}) {
    const auto &config = get<culvert_config>(*host, CULVERT_SERVICE_CONFIG);
    EXPECT_EQ(text(config.text(host, "text")), "a text");
    EXPECT_EQ(config.integer(host, "integer"), -7);
    EXPECT_EQ(config.boolean(host, "boolean"), 1U);
    EXPECT_EQ(config.secret(host, "secret"), 9U);
    EXPECT_EQ(config.count(host, "list"), 2U);
    EXPECT_EQ(text(config.item(host, "list", 1)), "y");
    EXPECT_EQ(config.item(host, "list", 2).size, 0U);
    for (const char *key : {"absent", static_cast<const char *>(nullptr)}) {
      EXPECT_EQ(config.text(host, key).size, 0U);
      EXPECT_EQ(config.integer(host, key), 0);
      EXPECT_EQ(config.boolean(host, key), 0U);
      EXPECT_EQ(config.secret(host, key), 0U);
      EXPECT_EQ(config.count(host, key), 0U);
    }
    EXPECT_EQ(config.text(host, "secret").size, 0U);
    EXPECT_EQ(config.integer(host, "secret"), 0);
  }
}

TEST_F(Services, ClockIsTheShardsOrTheControlThreads) {
  world_.sim.run_for(1'500);
  for (const PluginHost *host : {&unit_, &instance_}) {
    const auto &clock = get<culvert_clock>(*host, CULVERT_SERVICE_CLOCK);
    EXPECT_EQ(clock.monotonic_ns(host), world_.io.now_ns());
    EXPECT_EQ(clock.wall_s(host), world_.io.wall_s());
  }
}

TEST_F(Services, RandomFillsAndDiffers) {
  const auto &random = get<culvert_random>(instance_, CULVERT_SERVICE_RANDOM);
  std::array<std::uint8_t, 32> one{};
  std::array<std::uint8_t, 32> two{};
  random.fill(&instance_, one.data(), one.size());
  random.fill(&instance_, two.data(), two.size());
  EXPECT_NE(one, two);
  EXPECT_TRUE(std::any_of(one.begin(), one.end(), [](auto byte) { return byte != 0; }));
}

TEST_F(Services, LogNamesThePluginAndKeepsToOneLine) {
  const auto &log = get<culvert_log>(instance_, CULVERT_SERVICE_LOG);
  EXPECT_EQ(log.enabled(&instance_, CULVERT_LOG_TRACE), 1U);
  EXPECT_EQ(log.enabled(&instance_, 5), 0U);
  log.write(&instance_, CULVERT_LOG_WARN, CULVERT_LITERAL("one\ntwo"));
  EXPECT_TRUE(world_.logged("one two plugin=test_plugin"));
  const std::size_t lines = world_.log.lines().size();
  log.write(&instance_, 5, CULVERT_LITERAL("no such level"));
  log.write(&instance_, CULVERT_LOG_WARN, culvert_view{nullptr, 5});
  EXPECT_EQ(world_.log.lines().size(), lines);
  log.write(&instance_, CULVERT_LOG_WARN, culvert_view{});
  EXPECT_EQ(world_.log.lines().size(), lines + 1);
}

TEST_F(Services, ALongLineIsCutInFrontOfTheSequenceThatDoesNotFit) {
  const auto &log = get<culvert_log>(instance_, CULVERT_SERVICE_LOG);
  const auto written = [&](const std::string &text) {
    log.write(&instance_, CULVERT_LOG_WARN, {text.data(), text.size()});
    const std::string &line = world_.log.lines().back();
    const std::size_t start = line.find("x");
    return line.substr(start, line.find(" plugin=") - start);
  };
  const std::string most(kLogLineBytes, 'x');
  EXPECT_EQ(written(most), most);
  EXPECT_EQ(written(most + "y"), most);
  const std::string almost(kLogLineBytes - 1, 'x');
  EXPECT_EQ(written(almost + "\xc3\xa9"), almost);
}

TEST_F(Services, SecretSignsByReferenceOnly) {
  // RFC 4231, test case 2.
  const std::uint64_t key = world_.secrets.add(Secret(std::string_view("Jefe")));
  const culvert_view data = CULVERT_LITERAL("what do ya want for nothing?");
  for (const PluginHost *host : {&unit_, &instance_}) {
    const auto &secret = get<culvert_secret>(*host, CULVERT_SERVICE_SECRET);
    std::array<std::uint8_t, 32> digest{};
    EXPECT_EQ(secret.hmac_sha256(host, key, data, digest.data()), 1U);
    EXPECT_EQ(hex(std::as_bytes(std::span(digest))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest = {};
    EXPECT_EQ(secret.hmac_sha256(host, key + 1, data, digest.data()), 0U);
    EXPECT_EQ(secret.hmac_sha256(host, 0, data, digest.data()), 0U);
    EXPECT_EQ(secret.hmac_sha256(host, key, {nullptr, 1}, digest.data()), 0U);
    EXPECT_EQ(secret.hmac_sha256(host, key, data, nullptr), 0U);
    EXPECT_EQ(digest, (std::array<std::uint8_t, 32>{}));
  }
}

} // namespace
} // namespace culvert::test
