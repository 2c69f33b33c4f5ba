#include "unit/plugins_azure/azure.hpp"

#include <algorithm>

namespace {

using namespace culvert_test;

constexpr char kSecret[] = "CANARY-TOKEN";

TEST_F(AzureRelay, TheOfferHasTheServicesMembersInItsOrder) {
  Headers headers = upgrade_headers();
  headers.emplace_back("User-Agent", "test");
  headers.emplace_back("ServiceBusAuthorization", kSecret);
  const ReadIntent intent =
      head("/$hc/hyco/below?user=1&sb-hc-action=connect&sb-hc-id=" + std::string(kGuid) +
               "&sb-hc-token=" + kSecret,
           headers);
  EXPECT_EQ(offer(intent.facts, "g1.relay.test", 443),
            R"({"accept":{"address":"wss://g1.relay.test/$hc/hyco/below?user=1)"
            R"(&sb-hc-action=accept&sb-hc-id=)" +
                std::string(kGuid) + "_G0&sb-hc-capability=" + kCapability + R"(","id":")" + kGuid +
                R"(_G0","connectHeaders":{"Host":"relay.test:9443","Upgrade":"websocket",)"
                R"("Connection":"Upgrade","Sec-WebSocket-Key":"dGhlIHNhbXBsZSBub25jZQ==",)"
                R"("Sec-WebSocket-Version":"13","User-Agent":"test"},)"
                R"("remoteEndpoint":{"address":"203.0.113.9","port":62917}}})");
  EXPECT_EQ(intent.facts.find(kSecret), std::string::npos);
}

TEST_F(AzureRelay, TheAddressHasThePortUnlessItIs443AndBracketsAroundIpv6) {
  const std::string facts = head("/$hc/hyco").facts;
  EXPECT_NE(offer(facts, "relay.test", 9443).find("\"wss://relay.test:9443/$hc/hyco?sb-hc-action"),
            std::string::npos);
  EXPECT_NE(offer(facts, "::1", 9443).find("\"wss://[::1]:9443/$hc/hyco?"), std::string::npos);
  EXPECT_NE(offer(facts, "::1", 443).find("\"wss://[::1]/$hc/hyco?"), std::string::npos);
}

TEST_F(AzureRelay, TheUsersPathAndQueryPassByteForByteAndOurOwnPairsAreTaken) {
  struct {
    const char *target, *address;
  } const rows[]{
      {"/$hc/hyco/a%20b/{c}|d?x=%20&y", "/hyco/a%20b/{c}|d?x=%20&y&sb-hc-action"},
      {"/$HC/Hyco%2Fbelow?a=1&a=2&", "/Hyco%2Fbelow?a=1&a=2&&sb-hc-action"},
      {"/$hc/hyco?&&&", "/hyco?&&&&sb-hc-action"},
      {"/$hc/hyco?flag&sb-hc-action=connect&other=%26%3D", "/hyco?flag&other=%26%3D&sb-hc-action"},
      {"/$hc/hyco?sb-hc-bare&x=1", "/hyco?sb-hc-bare&x=1&sb-hc-action"},
      {"/$hc/hyco?Sb-Hc-Anything=1&sb-hc-sas-key=k", "/hyco?sb-hc-action"},
      {"/$hc/hyco?sb%2Dhc%2dtoken=CANARY-TOKEN", "/hyco?sb-hc-action"},
      {"/$hc/hyco?a=1&sb-hc-token=SharedAccessSignature%20sr=x&SIG=CANARY-TOKEN&se=1&skn=r&b=2",
       "/hyco?a=1&b=2&sb-hc-action"},
      {"/$hc/hyco?sb-hc-token=SharedAccessSignature+sr=x&x=1&s%69g=CANARY-TOKEN",
       "/hyco?x=1&sb-hc"},
      {"/$hc/hyco?sb-hc-token=SharedAccessSignature%20sr%3Dx%26sig%3Dy&sig=own&se=2",
       "/hyco?sig=own&se=2&sb-hc-action"},
      {"/$hc/hyco?sig=own&skn=2", "/hyco?sig=own&skn=2&sb-hc-action"},
      {"/$hc/hyco?sb-hc-capability=00&sb-hc-statusCode=404", "/hyco?sb-hc-action"},
      {"/$hc/caf\xC3\xA9?q=\xC3\xA9", "/caf\xC3\xA9?q=\xC3\xA9&sb-hc-action"},
  };
  for (const auto &row : rows) {
    const std::string json = offer(head(row.target).facts);
    EXPECT_NE(json.find(std::string("$hc") + row.address), std::string::npos) << row.target << "\n"
                                                                              << json;
    EXPECT_EQ(json.find(kSecret), std::string::npos) << json;
  }
}

/// Clients split a pair at every '=' they find, some of them after they decoded it.
TEST_F(AzureRelay, OurOwnPairsInAnAddressHaveOneEqualsSignRawAndDecoded) {
  for (const std::string id : {"", "abc", "a%3Db", "a=b", "a%253Db", "%26sb-hc-id%3D1"}) {
    for (const std::string &given : {id, kGuid + id, std::string(kGuid) + "_G7" + id}) {
      const std::string json = offer(head("/$hc/hyco?user=1=2&sb-hc-id=" + given).facts);
      const std::size_t start = json.find("?user=1=2&") + 10;
      std::string_view rest = std::string_view(json).substr(start, json.find('"', start) - start);
      std::vector<std::string> names;
      while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        names.emplace_back(pair.substr(0, pair.find('=')));
        EXPECT_EQ(std::count(pair.begin(), pair.end(), '='), 1) << json;
        EXPECT_EQ(pair.find('%'), std::string_view::npos) << json; // so decoded it is the same
        EXPECT_EQ(pair.find('+'), std::string_view::npos) << json;
      }
      EXPECT_EQ(names, (std::vector<std::string>{"sb-hc-action", "sb-hc-id", "sb-hc-capability"}))
          << given;
    }
  }
}

TEST_F(AzureRelay, IdsStartWithAGuidAndEndWithThisGateway) {
  const std::string guid = kGuid;
  const std::string connect = "/$hc/hyco?sb-hc-action=connect&sb-hc-id=";
  EXPECT_EQ(head(connect + guid).loggable_id, guid + "_G0");
  EXPECT_EQ(head(connect + guid + "_G17").loggable_id, guid + "_G17_G0");
  EXPECT_EQ(head(connect + guid + "%0d%0a").loggable_id, guid + "_G0");
  EXPECT_EQ(head(connect + guid + std::string(200, 'x')).loggable_id, guid + "_G0");
  for (const std::string &bad : {std::string(""), std::string("abc"), guid.substr(1),
                                 "{" + guid + "}", guid.substr(0, 35) + "g"}) {
    const std::string made = head(connect + bad).loggable_id;
    EXPECT_EQ(made.size(), 39U) << bad;
    EXPECT_NE(made.substr(0, 36), guid) << bad;
  }
}

TEST_F(AzureRelay, HeadersThatComeTwiceAreJoinedAndOddOnesPass) {
  Headers headers = upgrade_headers();
  headers.emplace_back("X-Many", "one");
  headers.emplace_back("0", "zero: value");
  headers.emplace_back("x-many", "two");
  headers.emplace_back("X-Odd!#$%&'*+-.^_`|~", "!#$%&*+-.^_`~*|\"'(){}[]<>=/,:;@\\");
  headers.emplace_back("X-Latin", "caf\xE9");
  headers.emplace_back("X-Empty", "");
  const std::string json = offer(head("/$hc/hyco", headers).facts);
  for (const char *wanted : {R"("X-Many":"one, two")", R"("0":"zero: value")",
                             R"("X-Odd!#$%&'*+-.^_`|~":"!#$%&*+-.^_`~*|\"'(){}[]<>=/,:;@\\")",
                             "\"X-Latin\":\"caf\xC3\xA9\"", R"("X-Empty":"")"}) {
    EXPECT_NE(json.find(wanted), std::string::npos) << wanted << "\n" << json;
  }
}

TEST_F(AzureRelay, AnOfferOf32000BytesIsRefused) {
  const auto with = [&](std::size_t size) {
    Headers headers = upgrade_headers();
    headers.emplace_back("X-Big", std::string(size, 'x'));
    return head("/$hc/hyco?sb-hc-id=" + std::string(kGuid), headers).facts;
  };
  const std::size_t base = offer(with(0)).size();
  EXPECT_EQ(offer(with(31'999 - base)).size(), 31'999U);
  EXPECT_EQ(offer(with(32'000 - base)), "");
  EXPECT_EQ(error.code, uint32_t{CULVERT_TOO_LARGE});
  EXPECT_EQ(outcome(with(32'000 - base), error.code).status, 431U);
}

TEST_F(AzureRelay, AnAddressThatNoListenerTakesIsNotOffered) {
  const auto with = [&](std::size_t size) {
    return head("/$hc/hyco?" + std::string(size, 'q') + "&sb-hc-id=" + kGuid).facts;
  };
  const std::string least = offer(with(1));
  const std::size_t begin = least.find("wss://");
  const std::size_t base = least.find('"', begin) - begin - 1;
  EXPECT_NE(offer(with(16 * 1024 - base)), "");
  EXPECT_EQ(offer(with(16 * 1024 - base + 1)), "");
  EXPECT_EQ(error.code, uint32_t{CULVERT_TOO_LARGE});
  EXPECT_EQ(outcome(with(17'000), error.code).status, 431U);
}

TEST_F(AzureRelay, FactsThatAreNotASendersMakeNoOffer) {
  const std::string facts = head("/$hc/hyco").facts;
  const std::string other = head("/$hc/hyco?sb-hc-action=listen").facts;
  for (std::size_t size = 0; size < facts.size(); ++size) {
    ASSERT_EQ(offer(facts.substr(0, size)), "") << size;
  }
  EXPECT_EQ(offer(facts + "x"), "");
  EXPECT_EQ(offer(other), "");
  std::string future = facts;
  future[0] = 2;
  EXPECT_EQ(offer(future), "");
  EXPECT_EQ(error.code, uint32_t{CULVERT_INTERNAL});
}

// --- outcomes -----------------------------------------------------------------------------------

TEST_F(AzureRelay, EveryFailureHasItsStatusAndSentence) {
  host.wall_s = 1'745'496'495;
  const std::string sender =
      head("/$hc/hyco/below?sb-hc-id=" + std::string(kGuid), upgrade_headers()).facts;
  struct {
    uint32_t code;
    const char *message;
    uint32_t peer_status;
    uint32_t status;
    const char *sentence;
  } const rows[]{
      {CULVERT_TOKEN_MISSING, "", 0, 401, "MissingToken: The authorization header was not found."},
      {CULVERT_TOKEN_MALFORMED, "", 0, 401, "TokenMissingOrInvalid: Malformed token."},
      {CULVERT_TOKEN_SIGNATURE, "", 0, 401, "The token has an invalid signature."},
      {CULVERT_TOKEN_EXPIRED, "ExpiredToken: The token is expired. Expiration time: 'x'.", 0, 401,
       "ExpiredToken: The token is expired. Expiration time: 'x'."},
      {CULVERT_TOKEN_AUDIENCE, "", 0, 401, "InvalidAudience: "},
      {CULVERT_TOKEN_RIGHT, "", 0, 403, "Authorization failed for specified action: Send"},
      {CULVERT_NO_ENTITY, "internal words", 0, 404, "Endpoint does not exist."},
      {CULVERT_NO_LISTENER, "", 0, 404, "There are no listeners connected for the endpoint."},
      {CULVERT_NONE_ALLOWED, "", 0, 404,
       "None of the connected listeners meet the AllowedListeners/DisallowedListeners criteria."},
      {CULVERT_GONE, "", 0, 403, "is the listener accepting too late?"},
      {CULVERT_TIMEOUT, "", 0, 504,
       "None of the connected listeners accepted the connection within the allowed timeout."},
      {CULVERT_QUOTA, "", 0, 403,
       "QuotaExceeded: The endpoint has as many connections as it may have."},
      {CULVERT_OVERLOAD, "", 0, 503, "too busy"},
      {CULVERT_SHUTTING_DOWN, "", 0, 503, "shutting down"},
      {CULVERT_TOO_LARGE, "", 0, 431, "too large"},
      {CULVERT_PROTOCOL, "", 0, 400, "malformed"},
      {CULVERT_UNSUPPORTED, "", 0, 501, "does not support"},
      {CULVERT_REJECTED, "no", 418, 418, "no"},
      {CULVERT_REJECTED, "", 200, 502, "Rejected by the listener."},
      {CULVERT_INTERNAL, "a stack trace", 0, 500, "InternalServerError"},
      {9999, "", 0, 500, "InternalServerError"},
  };
  for (const auto &row : rows) {
    const ReadAnswer answer = outcome(sender, row.code, row.message, row.peer_status);
    EXPECT_EQ(answer.form, uint32_t{CULVERT_ANSWER_HTTP});
    EXPECT_EQ(answer.status, row.status) << row.sentence;
    EXPECT_NE(answer.reason.find(row.sentence), std::string::npos) << answer.reason;
    EXPECT_NE(answer.reason.find(" TrackingId:" + std::string(kGuid) +
                                 "_G0, SystemTracker:sb://relay.test/hyco/below, "
                                 "Timestamp:2025-04-24T12:08:15"),
              std::string::npos)
        << answer.reason;
    EXPECT_EQ(answer.fields.count("WWW-Authenticate"), row.status == 401 ? 1U : 0U);
  }
  const std::string listener = head("/$hc/hyco?sb-hc-action=listen").facts;
  EXPECT_NE(outcome(listener, CULVERT_TOKEN_RIGHT).reason.find("action: Listen"),
            std::string::npos);
  EXPECT_NE(outcome(listener, CULVERT_QUOTA).reason.find("QuotaExceeded: "), std::string::npos);
  EXPECT_NE(outcome(listener, CULVERT_QUOTA).reason.find("(MaximumListenersPerEndpoint)."),
            std::string::npos);
}

TEST_F(AzureRelay, AReasonIsBoundedAndCleanWhateverThePath) {
  const std::string facts = head("/$hc/" + std::string(5000, 'p') +
                                 "%C3%A9?sb-hc-id=" + std::string(kGuid) + std::string(64, 'x'))
                                .facts;
  const ReadAnswer answer =
      outcome(facts, CULVERT_TOKEN_EXPIRED, std::string(400, 'e').append("\r\nX: y").c_str());
  EXPECT_LE(answer.reason.size(), 512U);
  EXPECT_NE(answer.reason.find("Timestamp:"), std::string::npos);
  EXPECT_TRUE(std::all_of(answer.reason.begin(), answer.reason.end(),
                          [](char c) { return c >= 0x20 && c < 0x7F; }));
}

TEST_F(AzureRelay, AnOutcomeForUnreadableFactsIsStillAnAnswer) {
  EXPECT_EQ(outcome("garbage", CULVERT_NO_ENTITY).status, 404U);
  EXPECT_EQ(outcome("", CULVERT_NO_ENTITY).status, 404U);
}

// --- control messages from a listener -----------------------------------------------------------

TEST_F(AzureRelay, ControlMessages) {
  const std::string deep(17, '[');
  const std::string longest(40'960, 'x');
  struct {
    std::string text;
    uint32_t verb;
    const char *token;
  } const rows[]{
      {R"({"renewToken":{"token":"SharedAccessSignature sr=a"}})", CULVERT_VERB_RENEW,
       "SharedAccessSignature sr=a"},
      {R"( { "x" : [1,{"renewToken":{"token":"no"}}], "renewToken":{"more":{},"token":"a\/bc"}} )",
       CULVERT_VERB_RENEW, "a/bc"},
      {R"({"renewToken":{}})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":null}})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":["a"]}})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"x":{"token":"a"}}})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":"a"})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":")" + longest + "\"}}", CULVERT_VERB_RENEW, longest.c_str()},
      {R"({"renewToken":{"token":")" + longest + "x\"}}", CULVERT_VERB_ANSWER, ""},
      {R"({"response":{"requestId":"1"}})", CULVERT_VERB_IGNORE, ""},
      {R"({"injectFault":{"delay":"00:00:01"}})", CULVERT_VERB_IGNORE, ""},
      {R"({"token":"a"})", CULVERT_VERB_IGNORE, ""},
      {"{}", CULVERT_VERB_IGNORE, ""},
      {"", CULVERT_VERB_ANSWER, ""},
      {"[]", CULVERT_VERB_ANSWER, ""},
      {R"([{"renewToken":{"token":"a"}}])", CULVERT_VERB_ANSWER, ""},
      {"\"renewToken\"", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":"a"})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":"a"}}})", CULVERT_VERB_ANSWER, ""},
      {R"({"renewToken":{"token":"a"}} x)", CULVERT_VERB_ANSWER, ""},
      {"{\"renewToken\":{\"token\":\"\xC0\xAF\"}}", CULVERT_VERB_ANSWER, ""},
      {"{\"a\":" + deep + std::string(17, ']') + "}", CULVERT_VERB_ANSWER, ""},
      {"{\"a\":1e99999}", CULVERT_VERB_IGNORE, ""},
      {"{\"a\":" + std::string(60'000, '9') + "}", CULVERT_VERB_IGNORE, ""},
      {"{\"a\":\"" + std::string(65'536, 'x') + "\"}", CULVERT_VERB_ANSWER, ""},
  };
  for (const auto &row : rows) {
    const ReadIntent intent = message(row.text);
    EXPECT_EQ(intent.verb, row.verb) << row.text.substr(0, 80);
    EXPECT_EQ(intent.token, row.token) << row.text.substr(0, 80);
    if (row.verb == CULVERT_VERB_ANSWER) {
      EXPECT_EQ(intent.answer.form, uint32_t{CULVERT_ANSWER_CLOSE});
      EXPECT_EQ(intent.answer.status, 1008U);
      EXPECT_LE(intent.answer.reason.size(), 123U);
    }
  }
  EXPECT_EQ(message("anything", CULVERT_BINARY).verb, uint32_t{CULVERT_VERB_IGNORE});
}

TEST_F(AzureRelay, AChannelEndsWithACloseThatSaysWhy) {
  struct {
    std::uint32_t code, source, close;
  } const rows[]{{CULVERT_SHUTTING_DOWN, CULVERT_SOURCE_LOCAL, 1001},
                 {CULVERT_NO_ENTITY, CULVERT_SOURCE_LOCAL, 1001},
                 {CULVERT_PROTOCOL, CULVERT_SOURCE_RELAY, 1002},
                 {CULVERT_GONE, CULVERT_SOURCE_RELAY, 1001},
                 {CULVERT_PROTOCOL, CULVERT_SOURCE_PLUGIN, 1002},
                 {CULVERT_TOKEN_MISSING, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOKEN_MALFORMED, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOKEN_SIGNATURE, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOKEN_EXPIRED, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOKEN_AUDIENCE, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOKEN_RIGHT, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_UNSUPPORTED, CULVERT_SOURCE_RELAY, 1008},
                 {CULVERT_TOO_LARGE, CULVERT_SOURCE_RELAY, 1009},
                 {CULVERT_OVERLOAD, CULVERT_SOURCE_RELAY, 1011},
                 {CULVERT_INTERNAL, CULVERT_SOURCE_RELAY, 1011},
                 {CULVERT_INTERNAL, CULVERT_SOURCE_PLUGIN, 1011},
                 {CULVERT_TIMEOUT, CULVERT_SOURCE_LOCAL, 1011},
                 {9999, CULVERT_SOURCE_RELAY, 1011}};
  for (const auto &row : rows) {
    culvert_status why{};
    why.size = sizeof why;
    why.code = row.code;
    why.source = row.source;
    std::snprintf(why.message, sizeof why.message, "a sentence");
    const ReadAnswer answer = outcome(CULVERT_STAGE_CHANNEL, "", why);
    EXPECT_EQ(answer.form, uint32_t{CULVERT_ANSWER_CLOSE}) << row.code;
    EXPECT_EQ(answer.status, row.close) << row.code;
    EXPECT_EQ(answer.reason, "a sentence");
  }
}

} // namespace
