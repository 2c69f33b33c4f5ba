#include "unit/plugins_azure/azure_client.hpp"

namespace {

using namespace culvert_test;

TEST_F(AzureClient, AudiencesAreTheOnesOfDotNet) {
  EXPECT_EQ(audience("Relay.Test", "hyco"), "http://relay.test/hyco/");
  EXPECT_EQ(audience("relay.test", "/a/b/"), "http://relay.test/a/b/");
  EXPECT_EQ(audience("relay.test", "My Entity"), "http://relay.test/My%20Entity/");
  EXPECT_EQ(audience("::1", "hyco"), "http://[::1]/hyco/");
}

TEST_F(AzureClient, AListenerAndASenderDialTheSameWayWithAnotherAction) {
  for (const bool listen : {true, false}) {
    const ReadLink made = dial(listen, "relay.test", 443, "hyco");
    ASSERT_TRUE(made.made) << error.message;
    EXPECT_EQ(made.tls, 1U);
    EXPECT_EQ(made.host, "relay.test");
    EXPECT_EQ(made.server_name, "relay.test");
    EXPECT_EQ(made.alpn, "http/1.1");
    EXPECT_EQ(made.port, 443U);
    EXPECT_EQ(made.authority, "relay.test");
    EXPECT_EQ(made.target, std::string("/$hc/hyco?sb-hc-action=") +
                               (listen ? "listen" : "connect") + "&sb-hc-id=" + kGuid);
    EXPECT_EQ(made.head_form, uint32_t{CULVERT_HEAD_HTTP});
    EXPECT_EQ(made.framing, uint32_t{CULVERT_FRAMING_WEBSOCKET});
    EXPECT_EQ(made.ping_interval_ms, listen ? 15'000U : 30'000U);
    ASSERT_EQ(made.fields.size(), 1U);
    EXPECT_EQ(made.fields.at("ServiceBusAuthorization"), std::pair(std::string("the token"), 1U));
  }
}

TEST_F(AzureClient, TheAppsAddressGoesWithADialAlone) {
  for (const bool listen : {true, false}) {
    const ReadLink made = dial(listen, "relay.test", 443, "hyco", "the token", "10.0.0.1:80");
    EXPECT_EQ(made.fields.size(), listen ? 1U : 2U);
    if (!listen) {
      EXPECT_EQ(made.fields.at("Culvert-App-Address"), std::pair(std::string("10.0.0.1:80"), 0U));
    }
  }
}

TEST_F(AzureClient, TheAppsAddressComesWithAnOffer) {
  const std::string before = R"({"accept":{"address":"wss://x/y","id":"1",)";
  EXPECT_EQ(hear(before + R"("connectHeaders":{"Host":"x","Culvert-App-Address":"[::1]:80"}}})")
                .app_address,
            "[::1]:80");
  for (const char *other : {R"("Culvert-App-Address":"[::1]:80","connectHeaders":{"Host":"x"}}})",
                            R"("connectHeaders":{"a":{"Culvert-App-Address":"[::1]:80"}}}})",
                            R"("connectHeaders":[{"Culvert-App-Address":"[::1]:80"}]}})",
                            R"("connectHeaders":{"Culvert-App-Address":1}}})"}) {
    const Heard heard = hear(before + other);
    EXPECT_EQ(heard.action, uint32_t{CULVERT_CHANNEL_OFFER}) << other;
    EXPECT_EQ(heard.app_address, "") << other;
  }
}

TEST_F(AzureClient, AProofAllowsOneListenerThatIsNobody) {
  for (const char *token : {"the token", ""}) {
    const ReadLink proof = prove("hyco", token);
    ASSERT_TRUE(proof.made) << error.message;
    ReadLink dialled = dial(false, "relay.test", 443, "hyco", token);
    EXPECT_EQ(proof.target, dialled.target);
    EXPECT_EQ(proof.authority, dialled.authority);
    dialled.fields["Microsoft-Relay-AllowedListeners"] = {std::string(kGuid), 0U};
    EXPECT_EQ(proof.fields, dialled.fields);
  }
}

TEST_F(AzureClient, PathsAreEncodedWhereNeededAndPortsShown) {
  const ReadLink made = dial(true, "::1", 9443, "/a b/c?d#e%f\xC3\xA9/(g)/", "");
  EXPECT_EQ(made.authority, "[::1]:9443");
  EXPECT_EQ(made.host, "::1");
  EXPECT_EQ(made.target.substr(0, made.target.find('?')), "/$hc/a%20b/c%3Fd%23e%25f%C3%A9/(g)");
  EXPECT_TRUE(made.fields.empty());
  EXPECT_FALSE(dial(true, "relay.test", 443, "/").made);
  EXPECT_EQ(error.code, uint32_t{CULVERT_CONFIG});
}

TEST_F(AzureClient, AnswersOfARelayAndWhatFollows) {
  struct {
    uint32_t purpose, status;
    const char *reason;
    uint32_t verdict, code, retry;
  } const rows[]{
      {CULVERT_PURPOSE_LISTEN, 101, "", CULVERT_VERDICT_DONE, 0, 0},
      {CULVERT_PURPOSE_DIAL, 101, "", CULVERT_VERDICT_DONE, 0, 0},
      {CULVERT_PURPOSE_ACCEPT, 101, "", CULVERT_VERDICT_DONE, 0, 0},
      {CULVERT_PURPOSE_REJECT, 410, "Gone", CULVERT_VERDICT_DONE, 0, 0},
      {CULVERT_PURPOSE_REJECT, 101, "", CULVERT_VERDICT_FAIL, CULVERT_PROTOCOL,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_ACCEPT, 410, "Gone", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_ACCEPT, 403, "late", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_LISTEN, 200, "", CULVERT_VERDICT_FAIL, CULVERT_PROTOCOL,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_LISTEN, 302, "", CULVERT_VERDICT_FAIL, CULVERT_PROTOCOL,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_LISTEN, 400, "", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_LISTEN, 401, "ExpiredToken: The token is expired.", CULVERT_VERDICT_FAIL,
       CULVERT_TOKEN_EXPIRED, CULVERT_RETRY_NEW_TOKEN},
      {CULVERT_PURPOSE_LISTEN, 401, "The token has an invalid signature.", CULVERT_VERDICT_FAIL,
       CULVERT_TOKEN_SIGNATURE, CULVERT_RETRY_NEW_TOKEN},
      {CULVERT_PURPOSE_LISTEN, 401, "InvalidAudience: wrong.", CULVERT_VERDICT_FAIL,
       CULVERT_TOKEN_AUDIENCE, CULVERT_RETRY_NEW_TOKEN},
      {CULVERT_PURPOSE_LISTEN, 401, "", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_NEW_TOKEN},
      {CULVERT_PURPOSE_DIAL, 403, "Authorization failed for specified action: Send",
       CULVERT_VERDICT_FAIL, CULVERT_TOKEN_RIGHT, CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_DIAL, 403, "", CULVERT_VERDICT_FAIL, CULVERT_REJECTED, CULVERT_RETRY_NEVER},
      {CULVERT_PURPOSE_LISTEN, 403, "QuotaExceeded: MaximumListenersPerEndpoint",
       CULVERT_VERDICT_FAIL, CULVERT_QUOTA, CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 403, "QuotaExceeded: as many as it may have", CULVERT_VERDICT_FAIL,
       CULVERT_QUOTA, CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_LISTEN, 404, "Endpoint does not exist.", CULVERT_VERDICT_FAIL,
       CULVERT_NO_ENTITY, CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 404, "There are no listeners connected for the endpoint.",
       CULVERT_VERDICT_FAIL, CULVERT_NO_LISTENER, CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 404, "", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 408, "", CULVERT_VERDICT_FAIL, CULVERT_TIMEOUT, CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 429, "", CULVERT_VERDICT_FAIL, CULVERT_OVERLOAD,
       CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 500, "", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 502, "target refused", CULVERT_VERDICT_FAIL, CULVERT_REJECTED,
       CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 503, "", CULVERT_VERDICT_FAIL, CULVERT_OVERLOAD,
       CULVERT_RETRY_BACKOFF},
      {CULVERT_PURPOSE_DIAL, 504, "", CULVERT_VERDICT_FAIL, CULVERT_TIMEOUT, CULVERT_RETRY_BACKOFF},
  };
  for (const auto &row : rows) {
    EXPECT_EQ(reply(row.purpose, CULVERT_REPLY_HTTP, row.status, row.reason), row.verdict)
        << row.status;
    EXPECT_EQ(error.code, row.code) << row.status;
    EXPECT_EQ(error.retry, row.retry) << row.status;
    if (row.verdict == CULVERT_VERDICT_FAIL) {
      EXPECT_EQ(error.source, uint32_t{CULVERT_SOURCE_RELAY});
      EXPECT_EQ(error.peer_status, row.status);
      EXPECT_NE(std::string(error.message).find(std::to_string(row.status)), std::string::npos);
      EXPECT_NE(std::string(error.message).find(row.reason), std::string::npos);
    }
  }
}

TEST_F(AzureClient, AnAnswerOfAWebServerIsCalledThat) {
  const std::string check = "no Azure Relay is there: check the Endpoint's host and port";
  const struct {
    uint32_t purpose, status;
    const char *reason;
    std::string advice;
  } rows[]{
      {CULVERT_PURPOSE_LISTEN, 200, "OK", "; " + check},
      {CULVERT_PURPOSE_DIAL, 302, "Found", "; " + check},
      {CULVERT_PURPOSE_LISTEN, 404, "File not found", "; " + check},
      {CULVERT_PURPOSE_DIAL, 404, "Not Found", "; if no listener said so, " + check},
      {CULVERT_PURPOSE_LISTEN, 404, "Endpoint does not exist.", ""},
      {CULVERT_PURPOSE_DIAL, 404, "There are no listeners connected for the endpoint.", ""},
      {CULVERT_PURPOSE_DIAL, 404, "Not so. TrackingId:1", ""},
      {CULVERT_PURPOSE_DIAL, 502, "Bad Gateway", ""},
  };
  for (const auto &row : rows) {
    reply(row.purpose, CULVERT_REPLY_HTTP, row.status, row.reason);
    EXPECT_EQ(error.message,
              "the relay answered " + std::to_string(row.status) + ": " + row.reason + row.advice);
  }
}

TEST_F(AzureClient, ARelaysWordsAreCleanedAndNeverShowAToken) {
  reply(CULVERT_PURPOSE_LISTEN, CULVERT_REPLY_HTTP, 401,
        "Bad\r\nX: \x1b[31m caf\xC3\xA9 token SharedAccessSignature sr=secret");
  EXPECT_STREQ(error.message, "the relay answered 401: BadX: [31m caf token ");
  reply(CULVERT_PURPOSE_LISTEN, CULVERT_REPLY_HTTP, 401, "got SIG=secret");
  EXPECT_EQ(std::string(error.message).find("secret"), std::string::npos);
  reply(CULVERT_PURPOSE_LISTEN, CULVERT_REPLY_HTTP, 500, std::string(5000, 'x'));
  EXPECT_LT(std::string(error.message).size(), 512U);
}

TEST_F(AzureClient, ClosesOfTheControlChannel) {
  EXPECT_EQ(reply(CULVERT_PURPOSE_LISTEN, CULVERT_REPLY_CLOSE, 1008, "token expired"),
            uint32_t{CULVERT_VERDICT_FAIL});
  EXPECT_EQ(error.retry, uint32_t{CULVERT_RETRY_NEW_TOKEN});
  EXPECT_EQ(error.code, uint32_t{CULVERT_REJECTED});
  for (const uint32_t code : {0U, 1000U, 1001U, 1011U, 4000U}) { // 0: without a code
    EXPECT_EQ(reply(CULVERT_PURPOSE_LISTEN, CULVERT_REPLY_CLOSE, code),
              uint32_t{CULVERT_VERDICT_FAIL});
    EXPECT_EQ(error.code, uint32_t{CULVERT_GONE}) << code;
    EXPECT_EQ(error.source, uint32_t{CULVERT_SOURCE_RELAY}) << code;
    EXPECT_EQ(error.retry, uint32_t{CULVERT_RETRY_BACKOFF}) << code;
    EXPECT_EQ(error.peer_status, code);
    EXPECT_STREQ(error.message, ("the relay closed the control channel " +
                                 (code == 0 ? "without a code" : "with " + std::to_string(code)))
                                    .c_str());
  }
}

TEST_F(AzureClient, AnOfferAsTheLiveServiceWritesIt) {
  const std::string address =
      "wss://g17-prod.test/$hc/hyco?sb-hc-action=accept&sb-hc-id=" + std::string(kGuid) +
      "_G17_G30";
  const Heard heard = hear(
      R"({"accept":{"address":"wss:\/\/g17-prod.test\/$hc\/hyco?sb-hc-action=accept&sb-hc-id=)" +
      std::string(kGuid) + R"(_G17_G30","id":")" + kGuid +
      R"(_G17_G30","connectHeaders":{"Host":"NS:443","X":"1"},"unknown":[{"address":"no"}],)"
      R"("remoteEndpoint":{"address":"203.0.113.9","port":62917}}})");
  EXPECT_EQ(heard.taken, 1U) << error.message;
  EXPECT_EQ(heard.action, uint32_t{CULVERT_CHANNEL_OFFER});
  EXPECT_EQ(heard.loggable_id, std::string(kGuid) + "_G17_G30");
  const ReadLink made = accept(heard.bytes);
  EXPECT_EQ(made.host, "g17-prod.test");
  EXPECT_EQ(made.port, 443U);
  EXPECT_EQ("wss://" + made.host + made.target, address);
}

TEST_F(AzureClient, MessagesThatAreNoOffer) {
  for (const char *other : {"{}", R"({"request":{"address":"wss://x/y"}})", R"({"ping":1})"}) {
    EXPECT_EQ(hear(other).taken, 1U) << other;
    EXPECT_EQ(hear(other).action, uint32_t{CULVERT_CHANNEL_NOTHING}) << other;
  }
  EXPECT_EQ(hear("bytes", CULVERT_BINARY).taken, 1U);
  for (const char *bad :
       {"", "[]", "{", R"({"accept":1})", R"({"accept":{}})", R"({"accept":{"address":1}})",
        R"({"accept":{"address":""}})", R"({"accept":{"address":"https://x/y"}})",
        R"({"accept":{"address":"wss://x/y\r\nHost: z"}})", R"({"accept":{"address":"ws://x/y"}})",
        R"({"accept":[{"address":"wss://x/y"}]})"}) {
    EXPECT_EQ(hear(bad).taken, 0U) << bad;
    EXPECT_EQ(error.code, uint32_t{CULVERT_PROTOCOL}) << bad;
    EXPECT_EQ(error.source, uint32_t{CULVERT_SOURCE_RELAY});
  }
  EXPECT_FALSE(host.log.empty());
}

/// A sender makes the address as long as it likes; the listener's channel must not end for it.
TEST_F(AzureClient, AnOfferWithAnAddressThatIsTooLongIsIgnored) {
  for (const std::size_t size : {16 * 1024, 16 * 1024 + 1, 60'000}) {
    host.log.clear();
    const std::string address = "wss://x/" + std::string(size - 8, 'y');
    const auto heard = hear(R"({"accept":{"address":")" + address + R"("}})");
    const bool fits = size <= 16 * 1024;
    EXPECT_EQ(heard.taken, 1U) << size;
    EXPECT_EQ(heard.action, uint32_t{fits ? CULVERT_CHANNEL_OFFER : CULVERT_CHANNEL_NOTHING});
    EXPECT_EQ(host.log.size(), fits ? 0U : 1U) << size;
  }
}

TEST_F(AzureClient, AcceptUsesTheAddressByteForByteFromItsFirstSlashOn) {
  struct {
    const char *address, *host;
    uint32_t port;
    const char *authority, *target;
  } const rows[]{
      {"wss://relay.test/$hc/a?b", "relay.test", 443, "relay.test", "/$hc/a?b"},
      {"WSS://relay.test:443/x", "relay.test", 443, "relay.test", "/x"},
      {"wss://relay.test:9443/x", "relay.test", 9443, "relay.test:9443", "/x"},
      {"wss://[::1]:9443/x", "::1", 9443, "[::1]:9443", "/x"},
      {"wss://relay.test/{a}|b/caf\xC3\xA9?q={}&%zz", "relay.test", 443, "relay.test",
       "/{a}|b/caf\xC3\xA9?q={}&%zz"},
  };
  for (const auto &row : rows) {
    const ReadLink made = accept(row.address);
    ASSERT_TRUE(made.made) << row.address << error.message;
    EXPECT_EQ(made.host, row.host);
    EXPECT_EQ(made.port, row.port);
    EXPECT_EQ(made.authority, row.authority);
    EXPECT_EQ(made.target, row.target);
    EXPECT_EQ(made.tls, 1U);
    EXPECT_TRUE(made.fields.empty()) << "no token on a rendezvous";
  }
  for (const char *bad :
       {"", "relay.test/x", "wss://", "wss:///x", "wss://relay.test", "wss://relay.test?x",
        "ws://relay.test/x", "http://relay.test/x", "wss://user@relay.test/x",
        "wss://relay.test:port/x", "wss://relay.test:/x", "wss://relay.test:0/x",
        "wss://relay.test:99999/x", "wss://relay.test/x y", "wss://relay.test/x\n",
        "wss://re lay/x", "wss://[::1/x"}) {
    EXPECT_FALSE(accept(bad).made) << bad;
  }
}

TEST_F(AzureClient, ARejectSaysWhyWithinBounds) {
  EXPECT_EQ(reject("wss://r.test/$hc/a?sb-hc-id=1", "db:5432 refused & \"closed\"\r\n").target,
            "/$hc/a?sb-hc-id=1&sb-hc-statusCode=502&sb-hc-statusDescription="
            "db%3A5432%20refused%20%26%20%22closed%22");
  EXPECT_EQ(reject("wss://r.test/a", "x").target,
            "/a?sb-hc-statusCode=502&sb-hc-statusDescription=x");
  EXPECT_EQ(reject("wss://r.test/a", "x", CULVERT_OVERLOAD).target,
            "/a?sb-hc-statusCode=503&sb-hc-statusDescription=x");
  EXPECT_NE(reject("wss://r.test/a", "").target.find("Description=The"), std::string::npos);
  EXPECT_LT(reject("wss://r.test/a", std::string(500, '%').c_str()).target.size(), 1000U);
  EXPECT_FALSE(reject("nonsense", "x").made);
}

TEST_F(AzureClient, ARenewalIsOneJsonText) {
  culvert_message message{};
  Room room;
  std::uint64_t word = 0;
  ASSERT_EQ(client.kind.renew(client.instance, &word, view("a\"b/c"), &room, &message, &error), 1U);
  EXPECT_EQ(text(message.bytes), R"({"renewToken":{"token":"a\"b/c"}})");
  EXPECT_EQ(message.kind, uint32_t{CULVERT_TEXT});
}

} // namespace
