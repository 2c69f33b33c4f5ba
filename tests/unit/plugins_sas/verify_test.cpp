#include "unit/plugins_common/fake_host.hpp"

#include "culvert/auth.h"

#include <algorithm>
#include <limits>

extern "C" const culvert_plugin culvert_plugin_v1_auth_sas;

namespace {

using culvert_test::FakeHost;
using culvert_test::Plugged;
using culvert_test::text;
using culvert_test::view;

constexpr char kKey[] = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=";
constexpr std::int64_t kExpiry = 1'900'000'000;

struct VerifySas : testing::Test {
  VerifySas() {
    host.integers["token_lifetime_s"] = 3600;
    host.integers["clock_skew_s"] = 300;
    host.secrets = {{1, kKey}, {2, "the secondary"}, {3, "send only"}, {4, "manager"}};
    rules = {rule("Root", CULVERT_RIGHT_LISTEN | CULVERT_RIGHT_SEND, {1, 2}),
             rule("sender", CULVERT_RIGHT_SEND, {3}), rule("boss", CULVERT_RIGHT_MANAGE, {4})};
  }

  static culvert_rule rule(std::string_view name, uint32_t rights,
                           const std::vector<uint64_t> &secrets) {
    culvert_rule made{};
    made.name = view(name);
    made.rights = rights;
    made.secret_count = static_cast<uint32_t>(secrets.size());
    std::copy(secrets.begin(), secrets.end(), made.secrets);
    return made;
  }

  static std::string encode(std::string_view bytes) {
    std::string result;
    for (const char c : bytes) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        result += c;
      } else {
        result += "%" + culvert::hex(culvert::bytes_of({&c, 1}));
      }
    }
    return result;
  }

  std::string signature(std::string_view key, std::string_view sr, std::string_view se) {
    const auto digest = host.digests.hmac_sha256(
        culvert::bytes_of(key), culvert::bytes_of(std::string(sr) + "\n" + std::string(se)));
    return culvert::base64(digest);
  }
  std::string token(std::string_view key, std::string_view sr, std::string_view skn,
                    std::string_view se = "1900000000") {
    return "SharedAccessSignature sr=" + std::string(sr) +
           "&sig=" + encode(signature(key, sr, se)) + "&se=" + std::string(se) +
           "&skn=" + std::string(skn);
  }

  culvert_verify verify(std::string_view given, std::string_view path = "hyco",
                        uint32_t right = CULVERT_RIGHT_LISTEN) {
    Plugged<culvert_auth> auth(host, culvert_plugin_v1_auth_sas, CULVERT_KIND_AUTH);
    EXPECT_NE(auth.instance, nullptr) << auth.error.message;
    const std::vector<culvert_view> names{view("relay.test"), view("alias.test"), view("::1")};
    culvert_verify record{};
    record.size = room;
    record.status.size = sizeof record.status;
    record.token = view(given);
    record.path = view(path);
    record.rules = rules.data();
    record.rule_count = static_cast<uint32_t>(rules.size());
    record.names = names.data();
    record.name_count = 3;
    record.right_wanted = right;
    record.wall_s = host.wall_s;
    EXPECT_EQ(auth.kind.verify(auth.instance, &record), uint32_t{CULVERT_DONE});
    return record;
  }
  uint32_t code(std::string_view given, std::string_view path = "hyco",
                uint32_t right = CULVERT_RIGHT_LISTEN) {
    return verify(given, path, right).status.code;
  }

  uint32_t room = sizeof(culvert_verify);
  FakeHost host;
  std::vector<culvert_rule> rules;
};

constexpr char kSr[] = "http%3A%2F%2Frelay.test%2Fhyco";

TEST_F(VerifySas, GoldenVectorsOfEveryClientAreAccepted) {
  struct {
    const char *client, *sr, *sig;
  } const rows[]{
      {".NET", "http%3A%2F%2Frelay.test%2Fhyco%2F", "GBkPKZ4rf3PVP928KQMjtoL86mOVgezkMCljLm+iQVU="},
      {"Node wss", "http%3A%2F%2Frelay.test%3A443%2Fhyco",
       "uwuUwvCrDVvstOnkxA6VbQBAB05pPMVXw1cKD28vK1o="},
      {"Node https, Python", kSr, "6oF0w8xbN2gh27tRas/XramFRfKLX6kJpMWi6dYOn9k="},
      {"Java listener", "sb%3A%2F%2Frelay.test%2Fhyco",
       "4ZsZP56k27phgTnllrHe8f1mXaQ72rG0epUM6HZrBV0="},
      {"Java sender", "sb%3A%2F%2Frelay.test", "TeQa4z5Iu6wRQnIu5vbaJQVXsVDHywGQX7uoSFAwjjU="},
      {"Java https, AZT", "https%3A%2F%2Frelay.test%2Fhyco",
       "VOYawMUZO/d+H0GirNrNPKgJHf2BYr0HJ6JdmYIFz2w="},
      {"lower-case hex", "http%3a%2f%2frelay.test%2fhyco",
       "M80lZZiGYciS1FVFTARs/AfsQTCwD4FR62uw1Fa/CGM="},
  };
  for (const auto &row : rows) {
    for (const std::string &sig : {encode(row.sig), std::string(row.sig)}) {
      const std::string given = "SharedAccessSignature sr=" + std::string(row.sr) + "&sig=" + sig +
                                "&se=1900000000&skn=Root";
      const culvert_verify result = verify(given);
      EXPECT_EQ(result.status.code, uint32_t{CULVERT_OK}) << row.client;
      EXPECT_EQ(result.expires_s, kExpiry) << row.client;
      EXPECT_EQ(result.rights, uint32_t{CULVERT_RIGHT_LISTEN | CULVERT_RIGHT_SEND}) << row.client;
    }
  }
}

TEST_F(VerifySas, FieldsStandInAnyOrderAndTheSchemeWordInAnyCase) {
  const std::string sig = encode(signature(kKey, kSr, "1900000000"));
  const std::string se = "se=1900000000";
  const std::string sr = std::string("sr=") + kSr;
  for (const std::string &fields :
       {"sig=" + sig + "&" + se + "&skn=Root&" + sr, "skn=root&" + sr + "&" + se + "&sig=" + sig,
        se + "&skn=ROOT&sig=" + sig + "&" + sr}) {
    EXPECT_EQ(code("SharedAccessSignature " + fields), uint32_t{CULVERT_OK}) << fields;
    EXPECT_EQ(code("sharedaccesssignature \t " + fields + " "), uint32_t{CULVERT_OK}) << fields;
  }
}

TEST_F(VerifySas, AudiencesThatCoverThePath) {
  for (const char *sr : {
           "ws%3A%2F%2Frelay.test%2Fhyco",
           "WSS%3A%2F%2FRelay.TEST%2FHyCo",
           "https%3A%2F%2Frelay.test%3A9443%2Fhyco%2F%2F",
           "http%3A%2F%2Falias.test%2Fhyco",
           "http%3A%2F%2F%5B%3A%3A1%5D%3A8443%2Fhyco",
           "http%3A%2F%2Frelay.test%2F%24hc%2Fhyco",
           "http%3A%2F%2Frelay.test%2F%24HC%2Fhyco%2Fbelow",
           "http%3A%2F%2Frelay.test%2Fhyco%2Fbelow%2Fdeep%3Fquery%3D1",
           "http%3A%2F%2Frelay.test%2Fhyco%23fragment",
           "http%3A%2F%2Frelay.test%2Fhy%2563o",
           "http%3A%2F%2Frelay.test%2F",
           "http://relay.test/hyco",
       }) {
    EXPECT_EQ(code(token(kKey, sr, "Root"), "hyco/below/deep"), uint32_t{CULVERT_OK}) << sr;
  }
}

TEST_F(VerifySas, AudiencesThatDoNot) {
  for (const char *sr : {
           "http%3A%2F%2Frelay.test%2Fhyco2",
           "http%3A%2F%2Frelay.test%2Fhyc",
           "http%3A%2F%2Frelay.test%2Fhyco%2Fbelow2",
           "http%3A%2F%2Frelay.test%2Fother",
           "http%3A%2F%2Frelay.test%2Fother%2F..%2Fhyco",
           "http%3A%2F%2Fother.test%2Fhyco",
           "http%3A%2F%2Frelay.test.evil%2Fhyco",
           "http%3A%2F%2Fevil.relay.test%2Fhyco",
           "ftp%3A%2F%2Frelay.test%2Fhyco",
       }) {
    EXPECT_EQ(code(token(kKey, sr, "Root"), "hyco/below"), uint32_t{CULVERT_TOKEN_AUDIENCE}) << sr;
  }
  EXPECT_EQ(code(token(kKey, kSr, "Root"), "hyco2"), uint32_t{CULVERT_TOKEN_AUDIENCE});
  EXPECT_EQ(code(token(kKey, kSr, "Root"), "hyc"), uint32_t{CULVERT_TOKEN_AUDIENCE});
  EXPECT_EQ(code(token(kKey, kSr, "Root"), ""), uint32_t{CULVERT_TOKEN_AUDIENCE});
}

TEST_F(VerifySas, AWrongSignatureIsRefusedWhateverElseIsRight) {
  const std::string good = token(kKey, kSr, "Root");
  EXPECT_EQ(code(token("another key", kSr, "Root")), uint32_t{CULVERT_TOKEN_SIGNATURE});
  EXPECT_EQ(code(token("abcdefghijklmnopqrstuvwxyz123456", kSr, "Root")),
            uint32_t{CULVERT_TOKEN_SIGNATURE})
      << "the key decoded from base64";
  EXPECT_EQ(code("SharedAccessSignature sr=" + std::string(kSr) +
                 "&sig=" + encode(signature(kKey, "http://relay.test/hyco", "1900000000")) +
                 "&se=1900000000&skn=Root"),
            uint32_t{CULVERT_TOKEN_SIGNATURE})
      << "signed over the decoded audience";
  EXPECT_EQ(code(token(kKey, kSr, "sender")), uint32_t{CULVERT_TOKEN_SIGNATURE})
      << "another rule's key";
  EXPECT_EQ(code(token(kKey, kSr, "nobody")), uint32_t{CULVERT_TOKEN_SIGNATURE});
  std::string later = good;
  later.replace(later.find("1900000000"), 10, "1900000001");
  EXPECT_EQ(code(later), uint32_t{CULVERT_TOKEN_SIGNATURE});
  EXPECT_STREQ(verify(later).status.message, "The token has an invalid signature.");
}

TEST_F(VerifySas, TheRelaysLogIsToldWhatThePeerIsNot) {
  EXPECT_STREQ(verify(token(kKey, kSr, "root")).note, "root");
  EXPECT_STREQ(verify(token("another key", kSr, "Root")).note, "the key of rule 'Root' differs");
  EXPECT_STREQ(verify(token(kKey, kSr, "nobody")).note, "there is no rule 'nobody'");
  EXPECT_STREQ(verify(token("send only", kSr, "sender")).note,
               "rule 'sender' has no right to listen");
  EXPECT_STREQ(
      verify(token(kKey, "http%3A%2F%2Fother.test%2Fhyco", "Root")).note,
      "the token is for http://other.test/hyco, this relay is relay.test, alias.test, ::1");
  EXPECT_STREQ(verify(token(kKey, kSr, "Root"), "hyco2").note,
               "the token is for http://relay.test/hyco, asked is hyco2");
  EXPECT_STREQ(verify(token(kKey, kSr, "Root"), "other sig=secret").note,
               "the token is for http://relay.test/hyco, asked is other");
  host.wall_s = kExpiry + 301;
  EXPECT_STREQ(verify(token(kKey, kSr, "Root")).note,
               "by this machine's clock the token of rule 'Root' expired 301 s ago");
  EXPECT_STREQ(verify("").note, "");
  EXPECT_STREQ(verify("nonsense").note, "");
}

TEST_F(VerifySas, AnEngineWithoutRoomForANoteIsNotWrittenTo) {
  for (const std::string &given : {token(kKey, kSr, "Root"), token(kKey, kSr, "nobody")}) {
    room = offsetof(culvert_verify, note);
    EXPECT_STREQ(verify(given).note, "");
  }
}

TEST_F(VerifySas, EveryFlippedBitOfTheSignatureIsRefused) {
  const std::string right = signature(kKey, kSr, "1900000000");
  for (std::size_t bit = 0; bit < 32 * 8; ++bit) {
    auto bytes = *culvert::from_base64(right);
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_EQ(code("SharedAccessSignature sr=" + std::string(kSr) +
                   "&sig=" + encode(culvert::base64(bytes)) + "&se=1900000000&skn=Root"),
              uint32_t{CULVERT_TOKEN_SIGNATURE})
        << bit;
  }
  std::string loose = right; // the two unused bits of the last character
  ASSERT_EQ(loose[42], 'k');
  loose[42] = 'l';
  EXPECT_EQ(code("SharedAccessSignature sr=" + std::string(kSr) + "&sig=" + encode(loose) +
                 "&se=1900000000&skn=Root"),
            uint32_t{CULVERT_TOKEN_SIGNATURE});
}

TEST_F(VerifySas, MalformedTokensAreNamedWithoutBeingQuoted) {
  const std::string sr = std::string("sr=") + kSr;
  const std::string sig = "sig=" + encode(signature(kKey, kSr, "1900000000"));
  const std::string head = "SharedAccessSignature ";
  const std::string tail = "&se=1900000000&skn=Root";
  for (const std::string &given : {
           std::string("Bearer abc"),
           std::string("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
           std::string("SharedAccessSignature"),
           std::string("SharedAccessSignature "),
           "SharedAccessSignature" + sr + "&" + sig + tail,
           "Bearer " + head + sr + "&" + sig + tail,
           "SharedAccessSignatures " + sr + "&" + sig + tail,
           head + sr + "&" + sig,
           head + sr + tail,
           head + sig + tail,
           head + sr + "&" + sig + "&se=1900000000",
           head + sr + "&" + sig + "&skn=Root",
           head + sr + "&" + sr + "&" + sig + tail,
           head + sr + "&" + sig + tail + "&se=1900000000",
           head + sr + "&" + sig + "&" + sig + tail,
           head + sr + "&" + sig + tail + "&skn=Root",
           head + sr + "&" + sig + tail + "&more=1",
           head + sr + "&" + sig + tail + "&",
           head + "SR=" + kSr + "&" + sig + tail,
           head + sr + " &" + sig + tail,
           head + sr + "&" + sig + "&se=&skn=Root",
           head + sr + "&" + sig + "&se=-1900000000&skn=Root",
           head + sr + "&" + sig + "&se=+1900000000&skn=Root",
           head + sr + "&" + sig + "&se=1900000000.0&skn=Root",
           head + sr + "&" + sig + "&se=0x7fffffff&skn=Root",
           head + sr + "&" + sig + "&se=9223372036854775808&skn=Root",
           head + sr + "&" + sig + "&se=99999999999999999999999999&skn=Root",
           head + sr + "&" + sig + "&se=1900000000&skn=",
           head + sr + "&" + sig + "&se=1900000000&skn=%4",
           head + sr + "&" + sig + "&se=1900000000&skn=" + std::string(257, 'n'),
           head + sr + "&sig=" + tail,
           head + sr + "&sig=%zz" + tail,
           head + sr + "&sig=QUJD" + tail,
           head + sr + "&sig=" + std::string(44, 'A') + tail,
           head + sr + "&sig=" + std::string(43, '*') + "=" + tail,
           head + "sr=&" + sig + tail,
           head + "sr=" + std::string(2049, 'a') + "&" + sig + tail,
           head + sr + "&" + sig + tail + std::string(4096, 'x'),
           token(kKey, "relay.test%2Fhyco", "Root"),
           token(kKey, "%3A%2F%2Frelay.test%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2F%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%00%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Fuser%40relay.test%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%3Aport%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%3A000443%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%20%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2F%5B%3A%3A1%2Fhyco", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%2Fhyco%", "Root"),
           token(kKey, "http%3A%2F%2Frelay.test%2Fhyco%25zz", "Root"),
       }) {
    const culvert_verify result = verify(given);
    const std::string message = result.status.message;
    EXPECT_EQ(result.status.code, uint32_t{CULVERT_TOKEN_MALFORMED}) << given;
    EXPECT_NE(message.find("Malformed"), std::string::npos) << given;
    EXPECT_EQ(message.find("19000000"), std::string::npos) << message;
    EXPECT_EQ(message.find("%2F"), std::string::npos) << message;
    EXPECT_EQ(result.rights, 0U);
  }
}

TEST_F(VerifySas, ATokenIsGoodUntilItsGraceIsOverAndNotASecondLonger) {
  const std::string given = token(kKey, kSr, "Root");
  host.wall_s = kExpiry + 300;
  EXPECT_EQ(code(given), uint32_t{CULVERT_OK});
  host.wall_s = kExpiry + 301;
  const culvert_verify late = verify(given);
  EXPECT_EQ(late.status.code, uint32_t{CULVERT_TOKEN_EXPIRED});
  EXPECT_STREQ(late.status.message, "ExpiredToken: The token is expired. Expiration time: "
                                    "'2030-03-17T17:46:40Z'.");
  const std::string most = std::to_string(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(code(token(kKey, kSr, "Root", most)), uint32_t{CULVERT_OK});
  EXPECT_EQ(code(token(kKey, kSr, "Root", "0")), uint32_t{CULVERT_TOKEN_EXPIRED});
}

TEST_F(VerifySas, TheGraceIsASetting) {
  const std::string given = token(kKey, kSr, "Root");
  for (const std::int64_t skew_s : {0, 5, 86'400}) {
    host.integers["clock_skew_s"] = skew_s;
    host.wall_s = kExpiry + skew_s;
    EXPECT_EQ(code(given), uint32_t{CULVERT_OK});
    host.wall_s += 1;
    EXPECT_EQ(code(given), uint32_t{CULVERT_TOKEN_EXPIRED});
  }
}

TEST_F(VerifySas, RightsComeFromTheRuleAndManageImpliesTheOthers) {
  const std::string send = token("send only", kSr, "sender");
  EXPECT_EQ(code(send, "hyco", CULVERT_RIGHT_SEND), uint32_t{CULVERT_OK});
  const culvert_verify refused = verify(send, "hyco", CULVERT_RIGHT_LISTEN);
  EXPECT_EQ(refused.status.code, uint32_t{CULVERT_TOKEN_RIGHT});
  EXPECT_STREQ(refused.status.message, "Authorization failed for specified action: Listen");
  for (const uint32_t right : {CULVERT_RIGHT_LISTEN, CULVERT_RIGHT_SEND, CULVERT_RIGHT_MANAGE}) {
    EXPECT_EQ(code(token("manager", kSr, "boss"), "hyco", right), uint32_t{CULVERT_OK}) << right;
  }
  EXPECT_EQ(code(token(kKey, kSr, "Root"), "hyco", CULVERT_RIGHT_MANAGE),
            uint32_t{CULVERT_TOKEN_RIGHT});
}

TEST_F(VerifySas, TheSecondaryKeyWorksAndARemovedKeyDoesNot) {
  EXPECT_EQ(code(token("the secondary", kSr, "Root")), uint32_t{CULVERT_OK});
  rules[0].secrets[0] = 99; // a reference that the host no longer knows
  EXPECT_EQ(code(token(kKey, kSr, "Root")), uint32_t{CULVERT_TOKEN_SIGNATURE});
  EXPECT_EQ(code(token("the secondary", kSr, "Root")), uint32_t{CULVERT_OK});
}

TEST_F(VerifySas, AnUnknownSecretDoesNotFitTheSignatureOfZeroes) {
  rules = {rule("Root", CULVERT_RIGHT_LISTEN, {99})};
  EXPECT_EQ(code("SharedAccessSignature sr=" + std::string(kSr) + "&sig=" +
                 encode(culvert::base64(std::vector<std::byte>(32))) + "&se=1900000000&skn=Root"),
            uint32_t{CULVERT_TOKEN_SIGNATURE});
}

TEST_F(VerifySas, EveryRuleAndKeyIsTriedWhateverFits) {
  for (const std::string &given :
       {token(kKey, kSr, "Root"), token("wrong", kSr, "Root"), token(kKey, kSr, "nobody")}) {
    host.digests_made = 0;
    verify(given);
    EXPECT_EQ(host.digests_made, 4);
  }
}

TEST_F(VerifySas, TwoRulesOfOneNameAreBothTried) {
  rules = {rule("app", CULVERT_RIGHT_LISTEN, {1}), rule("APP", CULVERT_RIGHT_SEND, {3})};
  EXPECT_EQ(code(token(kKey, kSr, "app"), "hyco", CULVERT_RIGHT_LISTEN), uint32_t{CULVERT_OK});
  EXPECT_EQ(code(token("send only", kSr, "app"), "hyco", CULVERT_RIGHT_SEND), uint32_t{CULVERT_OK});
  EXPECT_EQ(code(token("send only", kSr, "app"), "hyco", CULVERT_RIGHT_LISTEN),
            uint32_t{CULVERT_TOKEN_RIGHT});
}

TEST_F(VerifySas, NoTokenAndNoRule) {
  EXPECT_EQ(code(""), uint32_t{CULVERT_TOKEN_MISSING});
  rules.clear();
  EXPECT_EQ(code(token(kKey, kSr, "Root")), uint32_t{CULVERT_TOKEN_SIGNATURE});
}

} // namespace
