// The WebSocket handshake, both ends.
#include "link/http_upgrade.hpp"

#include <gtest/gtest.h>

namespace culvert {
namespace {

// The example of RFC 6455, section 1.3.
const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

RequestHead request(const std::string &start, const std::string &fields) {
  RequestHead head;
  EXPECT_EQ(parse_request(start + "\r\nHost: a\r\n" + fields + "\r\n", head), HeadFault::kNone);
  return head;
}

const std::string kUpgrade = "Upgrade: websocket\r\n";
const std::string kConnection = "Connection: keep-alive, Upgrade\r\n";
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";
const std::string kKeyLine = "Sec-WebSocket-Key: " + kKey + "\r\n";

TEST(UpgradeRequest, IsChecked) {
  struct Row {
    const char *what;
    std::string start, fields;
    HeadFault fault;
    unsigned status;
  };
  const std::string all = kUpgrade + kConnection + kVersion;
  const std::string get = "GET / HTTP/1.1";
  const std::vector<Row> rows = {
      {"right", get, all + kKeyLine, HeadFault::kNone, 0},
      {"words in another case", get,
       "upgrade: WebSocket\r\nCONNECTION: uPGRADE\r\n" + kVersion + kKeyLine, HeadFault::kNone, 0},
      {"an extension is offered", get,
       all + kKeyLine + "Sec-WebSocket-Extensions: permessage-deflate\r\n", HeadFault::kNone, 0},
      {"POST", "POST / HTTP/1.1", all + kKeyLine, HeadFault::kNotGet, 400},
      {"HTTP/1.0", "GET / HTTP/1.0", all + kKeyLine, HeadFault::kNotGet, 400},
      {"a body", get, all + kKeyLine + "Content-Length: 1\r\n", HeadFault::kNotGet, 400},
      {"no Upgrade", get, kConnection + kVersion + kKeyLine, HeadFault::kNoUpgrade, 426},
      {"another Upgrade", get, "Upgrade: h2c\r\n" + kConnection + kVersion + kKeyLine,
       HeadFault::kNoUpgrade, 426},
      {"no Connection", get, kUpgrade + kVersion + kKeyLine, HeadFault::kNoUpgrade, 426},
      {"another Connection", get, kUpgrade + "Connection: close\r\n" + kVersion + kKeyLine,
       HeadFault::kNoUpgrade, 426},
      {"no version", get, kUpgrade + kConnection + kKeyLine, HeadFault::kWebSocketVersion, 426},
      {"version 8", get, kUpgrade + kConnection + "Sec-WebSocket-Version: 8\r\n" + kKeyLine,
       HeadFault::kWebSocketVersion, 426},
      {"two versions", get, all + kVersion + kKeyLine, HeadFault::kWebSocketVersion, 426},
      {"no key", get, all, HeadFault::kWebSocketKey, 400},
      {"two keys", get, all + kKeyLine + kKeyLine, HeadFault::kWebSocketKey, 400},
      {"a short key", get, all + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",
       HeadFault::kWebSocketKey, 400},
      {"a long key", get, all + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n",
       HeadFault::kWebSocketKey, 400},
      {"no base64", get, all + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n",
       HeadFault::kWebSocketKey, 400},
      {"an empty key", get, all + "Sec-WebSocket-Key:\r\n", HeadFault::kWebSocketKey, 400},
  };
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    const HeadFault fault = check_upgrade_request(request(row.start, row.fields));
    EXPECT_EQ(static_cast<int>(fault), static_cast<int>(row.fault));
    EXPECT_EQ(refusal(fault).status, row.status);
  }
  EXPECT_STREQ(refusal(HeadFault::kWebSocketVersion).extra_name, "Sec-WebSocket-Version");
  EXPECT_STREQ(refusal(HeadFault::kWebSocketVersion).extra_value, "13");
}

TEST(UpgradeResponse, IsTheOneOfTheRfcWithFieldsOnTop) {
  Digests digests;
  const RequestHead head = request("GET / HTTP/1.1", kUpgrade + kConnection + kVersion + kKeyLine +
                                                         "Sec-WebSocket-Protocol: chat\r\n");
  const Result<std::string> text =
      build_upgrade_response(head, "", {{"Sec-WebSocket-Protocol", "chat"}}, digests);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                          "Upgrade: websocket\r\nSec-WebSocket-Accept: " +
                              kAccept + "\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
  EXPECT_TRUE(check_upgrade_response(parse_response(text.value()).value(), kKey,
                                     {{"Sec-WebSocket-Protocol", "chat"}}, digests)
                  .ok());
  EXPECT_FALSE(build_upgrade_response(head, "", {{"upgrade", "x"}}, digests).ok());
  EXPECT_FALSE(build_upgrade_response(head, "", {{"A", "x\r\nB: c"}}, digests).ok());
}

TEST(UpgradeResponse, NamesASubProtocolOnlyIfTheRequestOffersIt) {
  struct Row {
    std::string offered;
    std::string chosen;
    bool named;
  };
  const std::string name = "Sec-WebSocket-Protocol: ";
  const Row rows[] = {{"", "chat", false},
                      {name + "chat\r\n", "chat", true},
                      {name + "a, chat\r\n", "chat", true},
                      {name + "a\r\n" + name + "chat\r\n", "chat", true},
                      {name + "a, chat.v2\r\n", "chat", false},
                      {name + "a, b\r\n", "a, b", false},
                      {"X-Protocol: chat\r\n", "chat", false}};
  Digests digests;
  for (const Row &row : rows) {
    SCOPED_TRACE(row.offered + row.chosen);
    const RequestHead head =
        request("GET / HTTP/1.1", kUpgrade + kConnection + kVersion + kKeyLine + row.offered);
    const Result<std::string> text = build_upgrade_response(
        head, "", {{"sec-websocket-protocol", row.chosen}, {"X-More", "1"}}, digests);
    ASSERT_TRUE(text.ok());
    const ResponseHead answer = parse_response(text.value()).value();
    EXPECT_EQ(count_fields(answer.fields, "Sec-WebSocket-Protocol"), row.named ? 1U : 0U);
    EXPECT_EQ(count_fields(answer.fields, "X-More"), 1U);
    EXPECT_TRUE(check_upgrade_response(answer, kKey, head.fields, digests).ok());
  }
}

TEST(UpgradeResponse, IsChecked) {
  struct Row {
    const char *what;
    std::string fields;
    bool ok;
    std::vector<Field> asked = {};
  };
  const std::string accept = "Sec-WebSocket-Accept: " + kAccept + "\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string right = kUpgrade + connection + accept;
  const std::string protocol = "Sec-WebSocket-Protocol";
  const std::string chosen = right + protocol + ": ";
  const std::vector<Row> rows = {
      {"right", kUpgrade + connection + accept, true},
      {"other case", "UPGRADE: WebSocket\r\nconnection: upgrade\r\n" + accept, true},
      {"no Upgrade", connection + accept, false},
      {"two Upgrades", kUpgrade + kUpgrade + connection + accept, false},
      {"another Upgrade", "Upgrade: h2c\r\n" + connection + accept, false},
      {"no Connection", kUpgrade + accept, false},
      {"two Connections, which are one list", kUpgrade + connection + connection + accept, true},
      {"a list", kUpgrade + "Connection: keep-alive, Upgrade\r\n" + accept, true},
      {"a list in two fields", kUpgrade + "Connection: keep-alive\r\n" + connection + accept, true},
      {"another Connection", kUpgrade + "Connection: close\r\n" + accept, false},
      {"no accept value", kUpgrade + connection, false},
      {"two accept values", kUpgrade + connection + accept + accept, false},
      {"another accept value",
       kUpgrade + connection + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n", false},
      {"an accept value in another case",
       kUpgrade + connection + "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n", false},
      {"an extension",
       kUpgrade + connection + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n", false},
      {"a protocol nobody asked for", chosen + "chat\r\n", false},
      {"another protocol than those asked for", chosen + "c\r\n", false, {{protocol, "a, b"}}},
      {"one of those asked for", chosen + "b\r\n", true, {{protocol, "a, b"}}},
      {"one asked for in a second field",
       chosen + "b\r\n",
       true,
       {{protocol, "a"}, {protocol, "b"}}},
      {"two protocols", chosen + "a\r\nSec-WebSocket-Protocol: b\r\n", false, {{protocol, "a, b"}}},
      {"none of those asked for", right, true, {{protocol, "a, b"}}},
  };
  Digests digests;
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    const auto head = parse_response("HTTP/1.1 101 Switching Protocols\r\n" + row.fields + "\r\n");
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(check_upgrade_response(head.value(), kKey, row.asked, digests).ok(), row.ok);
  }
}

TEST(UpgradeResponse, OfAnotherStatusIsARefusalWithItsReason) {
  Digests digests;
  const auto head = parse_response("HTTP/1.1 404 No such entity\r\n\r\n");
  const Status status = check_upgrade_response(head.value(), kKey, {}, digests);
  EXPECT_EQ(status.code, Code::kRejected);
  EXPECT_EQ(status.peer_status, 404);
  EXPECT_EQ(status.message, "No such entity");
}

TEST(UpgradeRequest, OfOursPassesOurOwnCheckWithAFreshKeyEachTime) {
  SeededRandom random(7);
  const std::string key = make_upgrade_key(random);
  EXPECT_EQ(key.size(), 24U);
  EXPECT_NE(make_upgrade_key(random), key);
  const Result<std::string> text =
      build_upgrade_request("/$x?y=1", "relay:443", key, {{"Authorization", "t", true}});
  ASSERT_TRUE(text.ok());
  RequestHead head;
  ASSERT_EQ(parse_request(text.value(), head), HeadFault::kNone);
  EXPECT_EQ(check_upgrade_request(head), HeadFault::kNone);
  EXPECT_EQ(find_field(head.fields, "Host")->value, "relay:443");
  EXPECT_EQ(find_field(head.fields, "Authorization")->value, "t");
  EXPECT_FALSE(build_upgrade_request("/", "a", key, {{"Sec-WebSocket-Key", "x"}}).ok());
}

} // namespace
} // namespace culvert
