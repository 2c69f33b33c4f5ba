#include "unit/plugins_common/fake_host.hpp"

#include "culvert/auth.h"

extern "C" const culvert_plugin culvert_plugin_v1_auth_sas;

namespace {

using culvert_test::FakeHost;
using culvert_test::Plugged;
using culvert_test::Room;
using culvert_test::text;
using culvert_test::view;

struct Acquired {
  culvert_status status{};
  std::string token;
  std::uint64_t id = 0;
  std::int64_t expires_s = 0;
  std::int64_t renew_after_s = 0;
};

struct AcquireSas : testing::Test {
  AcquireSas() {
    host.integers["token_lifetime_s"] = 3600;
    host.integers["clock_skew_s"] = 300;
    host.texts["key_name"] = "Root";
    host.secret_keys["key"] = 1;
    host.secrets = {{1, "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="}, {2, "the other key"}};
    host.wall_s = 1'900'000'000 - 3600;
  }
  static Acquired acquire(Plugged<culvert_auth> &auth,
                          std::string_view audience = "http://relay.test/hyco/") {
    Room room;
    culvert_acquire record{};
    record.size = sizeof record;
    record.status.size = sizeof record.status;
    record.arena = &room;
    record.audience = view(audience);
    EXPECT_EQ(auth.kind.acquire(auth.instance, &record), uint32_t{CULVERT_DONE});
    return {record.status, text(record.token), record.token_id, record.expires_s,
            record.renew_after_s};
  }
  static bool refused(Plugged<culvert_auth> &auth, std::uint64_t id) {
    return auth.kind.refused(auth.instance, id) == 1;
  }
  FakeHost host;
};

TEST_F(AcquireSas, SignsAsDotNetDoes) {
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  ASSERT_NE(auth.instance, nullptr) << auth.error.message;
  const Acquired made = acquire(auth);
  EXPECT_EQ(made.status.code, uint32_t{CULVERT_OK});
  EXPECT_EQ(made.token, "SharedAccessSignature sr=http%3A%2F%2Frelay.test%2Fhyco%2F"
                        "&sig=GBkPKZ4rf3PVP928KQMjtoL86mOVgezkMCljLm%2BiQVU%3D"
                        "&se=1900000000&skn=Root");
  EXPECT_EQ(made.expires_s, 1'900'000'000);
  EXPECT_EQ(made.renew_after_s, 1'900'000'000 - 900);
}

TEST_F(AcquireSas, OneTokenServesAllConnectionsUntilItIsTimeToRenew) {
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  host.wall_s = first.renew_after_s - 1;
  EXPECT_EQ(acquire(auth).id, first.id);
  host.wall_s = first.renew_after_s;
  const Acquired second = acquire(auth);
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(second.expires_s, first.renew_after_s + 3600);
  EXPECT_NE(acquire(auth, "http://relay.test/other/").token, second.token);
}

TEST_F(AcquireSas, AClockSetBackMakesANewToken) {
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  host.wall_s -= 100'000;
  EXPECT_LT(acquire(auth).expires_s, first.expires_s);
}

TEST_F(AcquireSas, FiftyRefusalsOfOneTokenSwitchKeysOnce) {
  host.secret_keys["second_key"] = 2;
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(refused(auth, first.id)) << "a token with the other key is worth one redial";
  }
  const Acquired second = acquire(auth);
  EXPECT_NE(second.token, first.token);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(refused(auth, first.id));
  }
  EXPECT_EQ(acquire(auth).id, second.id) << "late refusals of the old token flip nothing back";
}

TEST_F(AcquireSas, WhenBothKeysAreRefusedNothingIsWorthAnImmediateRedial) {
  host.secret_keys["second_key"] = 2;
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  EXPECT_TRUE(refused(auth, first.id));
  const Acquired second = acquire(auth);
  EXPECT_FALSE(refused(auth, second.id));
  const Acquired third = acquire(auth);
  EXPECT_EQ(third.token, first.token) << "after a pause the first key is tried again";
  EXPECT_NE(third.id, first.id);
}

TEST_F(AcquireSas, AKeyThatWasRefusedLongAgoIsWorthAnotherTry) {
  host.secret_keys["second_key"] = 2;
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  EXPECT_TRUE(refused(auth, first.id));
  const Acquired second = acquire(auth);
  host.wall_s += 60; // the relay has taken the second key, and now takes the first one again
  EXPECT_TRUE(refused(auth, second.id));
  const Acquired third = acquire(auth);
  EXPECT_FALSE(refused(auth, third.id)) << "the second one was refused a moment ago";
}

TEST_F(AcquireSas, WithOneKeyARefusalChangesNothing) {
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  const Acquired first = acquire(auth);
  EXPECT_FALSE(refused(auth, first.id));
  EXPECT_FALSE(refused(auth, 0));
  host.wall_s += 10; // the clock was wrong; a token of the right time must not wait for renewal
  EXPECT_EQ(acquire(auth).expires_s, first.expires_s + 10);
}

TEST_F(AcquireSas, AReadyTokenIsHandedOutUntilItExpires) {
  const std::string ready =
      "SharedAccessSignature sr=http%3A%2F%2Frelay.test&sig=" + std::string(43, 'A') +
      "%3D&se=1900000000&skn=Root";
  host.texts = {{"signature", ready}};
  host.secret_keys.clear();
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  ASSERT_NE(auth.instance, nullptr) << auth.error.message;
  EXPECT_EQ(acquire(auth).token, ready);
  EXPECT_EQ(acquire(auth).expires_s, 1'900'000'000);
  EXPECT_FALSE(refused(auth, acquire(auth).id));
  host.wall_s = 1'900'000'000;
  EXPECT_EQ(acquire(auth).status.code, uint32_t{CULVERT_TOKEN_EXPIRED});
}

TEST_F(AcquireSas, ARelaysUnitNeedsNoKeyAndSaysSoWhenAskedForAToken) {
  host.texts.clear();
  host.secret_keys.clear();
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  ASSERT_NE(auth.instance, nullptr) << auth.error.message;
  EXPECT_EQ(acquire(auth).status.code, uint32_t{CULVERT_CONFIG});
  EXPECT_EQ(acquire(auth).token, "");
}

TEST_F(AcquireSas, SettingsThatCannotWorkAreRefusedWithAWordOfAdvice) {
  struct {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::uint64_t> secrets;
    std::int64_t lifetime_s;
    const char *advice;
    std::uint32_t code = CULVERT_CONFIG;
    std::int64_t clock_skew_s = 300;
  } const rows[]{
      {{{"key_name", "Root"}}, {}, 3600, "give both"},
      {{}, {{"key", 1}}, 3600, "give both"},
      {{}, {{"second_key", 2}}, 3600, "give key_name and key too"},
      {{{"key_name", std::string(257, 'n')}}, {{"key", 1}}, 3600, "at most 256"},
      {{{"key_name", "Root"}}, {{"key", 1}}, 59, "from 60 to 604800"},
      {{{"key_name", "Root"}}, {{"key", 1}}, 604801, "from 60 to 604800"},
      {{}, {}, 3600, "clock_skew_s must be a number from 0 to 86400", CULVERT_CONFIG, -1},
      {{}, {}, 3600, "clock_skew_s must be a number from 0 to 86400", CULVERT_CONFIG, 86'401},
      {{{"signature", "abc"}}, {}, 3600, "is no token: it does not start", CULVERT_TOKEN_MALFORMED},
      {{{"signature", "abc"}, {"key_name", "Root"}}, {{"key", 1}}, 3600, "give either"},
  };
  for (const auto &row : rows) {
    host.texts = row.texts;
    host.secret_keys = row.secrets;
    host.integers["token_lifetime_s"] = row.lifetime_s;
    host.integers["clock_skew_s"] = row.clock_skew_s;
    Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
    EXPECT_EQ(auth.unit, nullptr) << row.advice;
    EXPECT_EQ(auth.error.code, row.code);
    EXPECT_NE(std::string(auth.error.message).find(row.advice), std::string::npos)
        << auth.error.message;
  }
}

TEST_F(AcquireSas, AnArenaWithoutRoomIsAnErrorNotACutToken) {
  Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
  Room room(64);
  culvert_acquire record{};
  record.size = sizeof record;
  record.status.size = sizeof record.status;
  record.arena = &room;
  record.audience = view("http://relay.test/hyco/");
  EXPECT_EQ(auth.kind.acquire(auth.instance, &record), uint32_t{CULVERT_DONE});
  EXPECT_EQ(record.status.code, uint32_t{CULVERT_TOO_LARGE});
}

} // namespace
