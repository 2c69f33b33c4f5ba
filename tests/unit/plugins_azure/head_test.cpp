#include "unit/plugins_azure/azure.hpp"

namespace {

using namespace culvert_test;

std::string connect_target(const std::string &rest) {
  return "/$hc/hyco" + rest;
}

TEST_F(AzureRelay, AListenerIsReadWithItsTokenAndId) {
  Headers headers = upgrade_headers();
  headers.emplace_back("servicebusauthorization", "SharedAccessSignature sr=a&sig=b");
  const ReadIntent intent =
      head("/$hc/hyco?sb-hc-action=listen&sb-hc-id=" + std::string(kGuid) + "&sb-hc-token=other",
           headers);
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_LISTEN});
  EXPECT_EQ(intent.path, "hyco");
  EXPECT_EQ(intent.token, "SharedAccessSignature sr=a&sig=b") << "the header wins";
  EXPECT_EQ(intent.listener_id, kGuid);
  EXPECT_EQ(intent.authority, "relay.test:9443");
  EXPECT_EQ(intent.loggable_id, std::string(kGuid) + "_G0");
  EXPECT_EQ(intent.answer.status, 101U);
  EXPECT_EQ(intent.framing, uint32_t{CULVERT_FRAMING_WEBSOCKET});
  EXPECT_EQ(intent.ping_interval_ms, 15'000U);
}

TEST_F(AzureRelay, ATokenInTheQueryIsFormDecoded) {
  const ReadIntent intent = head("/$hc/hyco?sb-hc-action=listen&SB-HC-TOKEN="
                                 "SharedAccessSignature+sr%3Dhttp%253A%26sig%3Da%252Bb%3d");
  EXPECT_EQ(intent.token, "SharedAccessSignature sr=http%3A&sig=a%2Bb=");
  EXPECT_EQ(head("/$hc/hyco?sb-hc-action=listen").token, "");
}

TEST_F(AzureRelay, ListenerIdsLoseTheirGatewaysAndMissingOnesAreMade) {
  const std::string upper = "0F8FAD5B-D9CB-469F-A165-70867728950E";
  const std::string listen = "/$hc/hyco?sb-hc-action=listen&sb-hc-id=";
  EXPECT_EQ(head(listen + upper + "_G17_G30").listener_id, kGuid);
  EXPECT_EQ(head(listen + "my-listener").listener_id, "my-listener");
  const std::string fresh = head("/$hc/hyco?sb-hc-action=listen").listener_id;
  EXPECT_EQ(fresh.size(), 36U);
  EXPECT_EQ(fresh[14], '4');
  EXPECT_NE(head("/$hc/hyco?sb-hc-action=listen").listener_id, fresh);
  EXPECT_EQ(head(listen + "a%20b").listener_id.size(), 36U);
}

TEST_F(AzureRelay, PathsAreDecodedAndPrefixAndNamesIgnoreCase) {
  struct {
    const char *target, *path;
  } const rows[]{
      {"/$hc/hyco?sb-hc-action=connect", "hyco"},
      {"/$HC/hyco?SB-HC-ACTION=Connect", "hyco"},
      {"/%24hc/hyco?sb-hc-action=connect", "hyco"},
      {"/$hc/a%2Fb?sb-hc-action=connect", "a/b"},
      {"/$hc/a/b/?sb-hc-action=connect", "a/b"},
      {"/$hc//hyco?sb-hc-action=connect", "hyco"},
      {"/$hc/a+b%20c?sb-hc-action=connect", "a+b c"},
      {"/$hc/hyco%3Fsb-hc-action=connect", "hyco"},
      {"/$hc/hyco%3fsb-hc-action=connect&x=1", "hyco"},
      {"/$hc/hyco", "hyco"},
      {"/$hc/hyco?", "hyco"},
      {"/$hc/hyco?sb-hc-action=", "hyco"},
      {"/$hc/caf\xC3\xA9/{x}|y?q", "caf\xC3\xA9/{x}|y"},
  };
  for (const auto &row : rows) {
    const ReadIntent intent = head(row.target);
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_CONNECT}) << row.target;
    EXPECT_EQ(intent.path, row.path) << row.target;
  }
}

TEST_F(AzureRelay, WhatIsNoWebSocketRequestOfThisProtocolIsAnswered) {
  const auto without = [](const char *name) {
    Headers headers = upgrade_headers();
    std::erase_if(headers, [&](const auto &header) { return header.first == name; });
    return headers;
  };
  const auto with = [&](const char *name, const char *value) {
    Headers headers = without(name);
    headers.emplace_back(name, value);
    return headers;
  };
  const char *only = "This endpoint is only for web-socket requests.";
  struct {
    std::string target;
    Headers headers;
    const char *method;
    uint32_t status;
    const char *sentence;
  } const rows[]{
      {"/$hc/hyco?sb-hc-action=listen", without("Upgrade"), "GET", 400, only},
      {"/$hc/hyco?sb-hc-action=listen", without("Connection"), "GET", 400, only},
      {"/$hc/hyco?sb-hc-action=listen", with("Connection", "keep-alive"), "GET", 400, only},
      {"/$hc/hyco?sb-hc-action=listen", without("Sec-WebSocket-Key"), "GET", 400, only},
      {"/$hc/hyco?sb-hc-action=listen", with("Sec-WebSocket-Key", "short=="), "GET", 400, only},
      {"/$hc/hyco?sb-hc-action=listen", upgrade_headers(), "POST", 400, only},
      {"/$hc/hyco?sb-hc-action=destroy", upgrade_headers(), "GET", 400, "sb-hc-action is unknown"},
      {"/$hc/hyco?sb-hc-action=request&sb-hc-id=1", upgrade_headers(), "GET", 501, "HTTP requests"},
      {"/hyco", upgrade_headers(), "POST", 501, "HTTP requests are not supported"},
      {"/", upgrade_headers(), "GET", 501, "HTTP requests are not supported"},
      {"/$hc", upgrade_headers(), "GET", 501, "HTTP requests are not supported"},
      {"/hyco?api-version=2016-07", with("X-PROCESS-AT", "servicebus"), "GET", 501,
       "Management requests are not supported"},
      {"", upgrade_headers(), "GET", 400, "malformed"},
      {"hyco", upgrade_headers(), "GET", 400, "malformed"},
      {"*", upgrade_headers(), "OPTIONS", 400, "malformed"},
      {"https://relay.test/$hc/hyco", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hy%zzco?sb-hc-action=listen", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco%", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco%2", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco%00", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco%0d%0aX:1", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco%C0%AF", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco\xC0\xAF", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco?\xC1\xBF", upgrade_headers(), "GET", 400, "malformed"}, // overlong
      {"/$hc/hyco?\xE0\x9F\xBF", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco?\xF0\x8F\xBF\xBF", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco?\xED\xA0\x80", upgrade_headers(), "GET", 400, "malformed"},     // a surrogate
      {"/$hc/hyco?\xF4\x90\x80\x80", upgrade_headers(), "GET", 400, "malformed"}, // too large
      {"/$hc/hyco?\xF5\x80\x80\x80", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco?\x80", upgrade_headers(), "GET", 400, "malformed"},
      {"/$hc/hyco?\xE2\x82", upgrade_headers(), "GET", 400, "malformed"}, // cut
  };
  for (const auto &row : rows) {
    const ReadIntent intent = head(row.target, row.headers, row.method);
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ANSWER}) << row.target;
    EXPECT_EQ(intent.answer.status, row.status) << row.target;
    EXPECT_NE(intent.answer.reason.find(row.sentence), std::string::npos) << intent.answer.reason;
    EXPECT_NE(intent.answer.reason.find(" TrackingId:"), std::string::npos);
    EXPECT_LE(intent.answer.reason.size(), 512U);
  }
}

TEST_F(AzureRelay, TheFirstAndTheLastOfEachLengthOfUtf8AreTaken) {
  for (const char *text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    const ReadIntent intent = head(connect_target(std::string("/") + text + "?" + text));
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_CONNECT}) << text;
    EXPECT_EQ(intent.path, std::string("hyco/") + text);
  }
}

TEST_F(AzureRelay, OfAParameterThatComesTwiceTheFirstCounts) {
  const ReadIntent sender = head(
      connect_target("?sb-hc-action=connect&sb-hc-id=" + std::string(kGuid) +
                     "_G1&sb-hc-token=one&SB-HC-Action=listen&Sb-Hc-Id=other&sb%2Dhc-token=2"));
  EXPECT_EQ(sender.verb, uint32_t{CULVERT_VERB_CONNECT});
  EXPECT_EQ(sender.token, "one");
  EXPECT_EQ(sender.loggable_id, std::string(kGuid) + "_G1_G0");
  const ReadIntent reject =
      head("/$hc/hyco?sb-hc-action=accept&sb-hc-id=x&sb-hc-capability=" + std::string(kCapability) +
           "&sb-hc-statusCode=404&sb-hc-statusDescription=first&sb-hc-capability=00"
           "&sb-hc-statusCode=503&sb-hc-statusDescription=second&statusCode=418");
  EXPECT_EQ(reject.capability, kCapability);
  EXPECT_EQ(reject.peer_answer.status, 404U);
  EXPECT_EQ(reject.peer_answer.reason, "first");
  EXPECT_EQ(head(connect_target("?sb-hc-token=&sb-hc-token=two")).token, ""); // empty is one too
}

TEST_F(AzureRelay, AnotherVersionOfWebSocketIsLeftToTheEngineWhichAnswers426) {
  Headers headers = upgrade_headers();
  for (auto &[name, value] : headers) {
    value = name == "Sec-WebSocket-Version" ? "8" : value;
  }
  EXPECT_EQ(head("/$hc/hyco", headers).verb, uint32_t{CULVERT_VERB_CONNECT});
}

TEST_F(AzureRelay, ConnectionMayNameOthersAndKeepItsCase) {
  Headers headers = upgrade_headers();
  headers[1].second = "WebSocket";
  headers[2].second = "keep-alive, uPGRADE";
  EXPECT_EQ(head("/$hc/hyco", headers).verb, uint32_t{CULVERT_VERB_CONNECT});
}

TEST_F(AzureRelay, AllowedAndDeniedListenersAreLists) {
  Headers headers = upgrade_headers();
  headers.emplace_back("Microsoft-Relay-AllowedListeners", " AAAA , bbbb,,");
  headers.emplace_back("microsoft-relay-allowedlisteners", "cccc");
  headers.emplace_back("Microsoft-Relay-DisallowedListeners", "DDDD");
  const ReadIntent intent = head("/$hc/hyco", headers);
  EXPECT_EQ(intent.allowed, (std::vector<std::string>{"aaaa", "bbbb", "cccc"}));
  EXPECT_EQ(intent.denied, std::vector<std::string>{"dddd"});
  EXPECT_TRUE(head("/$hc/hyco").allowed.empty());
}

TEST_F(AzureRelay, AListNamesAListenerAsTheListenerNamesItself) {
  const std::string guid = kGuid;
  for (const std::string &sent :
       {guid, guid + "_G17", guid + "_G17_G30", std::string("My-Listener.1_G2")}) {
    const std::string listens = head("/$hc/hyco?sb-hc-action=listen&sb-hc-id=" + sent).listener_id;
    for (const std::string &named : {sent, listens + "_G5", listens}) {
      Headers headers = upgrade_headers();
      headers.emplace_back("Microsoft-Relay-AllowedListeners", named);
      headers.emplace_back("Microsoft-Relay-DisallowedListeners", named);
      EXPECT_EQ(head("/$hc/hyco", headers).allowed, std::vector<std::string>{listens}) << named;
      EXPECT_EQ(head("/$hc/hyco", headers).denied, std::vector<std::string>{listens}) << named;
    }
  }
  Headers headers = upgrade_headers(); // what no listener is named must not become "any"
  headers.emplace_back("Microsoft-Relay-AllowedListeners", "a b");
  EXPECT_EQ(head("/$hc/hyco", headers).allowed, std::vector<std::string>{"a b"});
}

TEST_F(AzureRelay, MoreListenerIdsThanTheEngineTakesAre431) {
  Headers headers = upgrade_headers();
  std::string ids = "id";
  for (int i = 1; i < 256; ++i) {
    ids += ",id";
  }
  headers.emplace_back("Microsoft-Relay-AllowedListeners", ids);
  EXPECT_EQ(head("/$hc/hyco", headers).allowed.size(), 256U);
  headers.emplace_back("Microsoft-Relay-AllowedListeners", "id");
  EXPECT_EQ(head("/$hc/hyco", headers).answer.status, 431U);
}

TEST_F(AzureRelay, HeadersThatDoNotFitIntoFactsAre431) {
  Headers headers = upgrade_headers();
  headers.emplace_back("X-Big", std::string(41'000, '"'));
  const ReadIntent intent = head("/$hc/hyco", headers);
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ANSWER});
  EXPECT_EQ(intent.answer.status, 431U);
  EXPECT_LE(intent.facts.size(), 40U * 1024);
}

// --- accept and reject --------------------------------------------------------------------------

std::string accept_target(const std::string &more = "") {
  return "/$hc/hyco/below?user=1&sb-hc-action=accept&sb-hc-id=" + std::string(kGuid) +
         "_G0&sb-hc-capability=" + kCapability + more;
}

TEST_F(AzureRelay, AnAcceptCarriesTheCapabilityAndAnswersBothSides) {
  const ReadIntent intent = head(accept_target());
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ACCEPT});
  EXPECT_EQ(intent.capability, kCapability);
  EXPECT_EQ(intent.token, "");
  EXPECT_EQ(intent.answer.status, 101U);
  EXPECT_EQ(intent.peer_answer.status, 101U);
  EXPECT_TRUE(intent.answer.fields.empty());
  EXPECT_TRUE(intent.peer_answer.fields.empty());
}

TEST_F(AzureRelay, TheChosenSubProtocolReachesBothSidesAndExtensionsNever) {
  Headers headers = upgrade_headers();
  headers.emplace_back("Sec-WebSocket-Protocol", "chat.v2");
  headers.emplace_back("Sec-WebSocket-Extensions", "permessage-deflate");
  headers.emplace_back("0", "Sec-WebSocket-Extensions: permessage-deflate");
  const ReadIntent intent = head(accept_target(), headers);
  const std::map<std::string, std::string> wanted{{"Sec-WebSocket-Protocol", "chat.v2"}};
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ACCEPT});
  EXPECT_EQ(intent.answer.fields, wanted);
  EXPECT_EQ(intent.peer_answer.fields, wanted);
}

TEST_F(AzureRelay, AnAcceptWithoutItsCapabilityIs400) {
  for (const std::string &query :
       {std::string(""), std::string("&sb-hc-capability="), std::string("&sb-hc-capability=xyz"),
        std::string("&sb-hc-capability=AB"), "&sb-hc-capability=" + std::string(65, 'a'),
        std::string("&sb-hc-capability")}) {
    const ReadIntent intent = head("/$hc/hyco?sb-hc-action=accept&sb-hc-id=x" + query);
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ANSWER}) << query;
    EXPECT_EQ(intent.answer.status, 400U) << query;
  }
}

TEST_F(AzureRelay, ARejectHasAStatusAndACleanReasonForTheSender) {
  struct {
    const char *query;
    uint32_t status;
    const char *reason;
  } const rows[]{
      {"&sb-hc-statusCode=401&sb-hc-statusDescription=No+more%20%2B%25+caf%C3%A9", 401,
       "No more +% caf"},
      {"&SB-HC-StatusCode=404", 404, "Not Found"},
      {"&sb-hc-statusCode=599&sb-hc-statusDescription=x", 599, "x"},
      {"&sb-hc-statusCode=999&sb-hc-statusDescription=x", 502, "x"},
      {"&sb-hc-statusCode=302&sb-hc-statusDescription=", 302, "Rejected"},
      {"&sb-hc-statusCode=101&sb-hc-statusDescription=ok", 502, "ok"},
      {"&sb-hc-statusCode=200&sb-hc-statusDescription=ok", 502, "ok"},
      {"&sb-hc-statusCode=502&sb-hc-statusDescription=a%0d%0aSet-Cookie:+b", 502, "aSet-Cookie: b"},
      {"&sb-hc-statusCode=502&sb-hc-statusDescription=100%", 502, "100%"},
      {"&sb-hc-statusCode=502&sb-hc-statusDescription=!#$%25%26*+-.^_`~*|%22'(){}[]<>=/,:;@%5C",
       502, "!#$%&* -.^_`~*|\"'(){}[]<>=/,:;@\\"},
      {"&statusCode=503&statusDescription=old+client", 503, "old client"},
  };
  for (const auto &row : rows) {
    const ReadIntent intent = head(accept_target(row.query));
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_REJECT}) << row.query;
    EXPECT_EQ(intent.capability, kCapability);
    EXPECT_EQ(intent.answer.status, 410U);
    EXPECT_EQ(intent.answer.reason, "Gone");
    EXPECT_EQ(intent.peer_answer.status, row.status) << row.query;
    EXPECT_EQ(intent.peer_answer.reason, row.reason) << row.query;
  }
  const ReadIntent unauthorized = head(accept_target("&sb-hc-statusCode=401"));
  EXPECT_EQ(unauthorized.peer_answer.fields.count("WWW-Authenticate"), 1U);
  const ReadIntent longest = head(
      accept_target("&sb-hc-statusCode=502&sb-hc-statusDescription=" + std::string(2000, 'x')));
  EXPECT_EQ(longest.peer_answer.reason.size(), 512U);
}

TEST_F(AzureRelay, ARejectStatusThatIsNoNumberIsTheListenersMistake) {
  for (const char *status : {"99", "099", "1000", "abc", "", "40x", "-40", "+40", "4.4"}) {
    const ReadIntent intent = head(accept_target(std::string("&sb-hc-statusCode=") + status));
    EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_ANSWER}) << status;
    EXPECT_EQ(intent.answer.status, 400U) << status;
  }
}

TEST_F(AzureRelay, ASendersOwnStatusCodeParameterIsNoReject) {
  const ReadIntent sender = head(connect_target("?statusCode=404&statusDescription=x"));
  const std::string json = offer(sender.facts);
  EXPECT_NE(json.find("/$hc/hyco?statusCode=404&statusDescription=x&sb-hc-action=accept"),
            std::string::npos)
      << json;
  const std::size_t start = json.find("/$hc/");
  EXPECT_EQ(head(json.substr(start, json.find('"', start) - start)).verb,
            uint32_t{CULVERT_VERB_ACCEPT});
}

} // namespace
