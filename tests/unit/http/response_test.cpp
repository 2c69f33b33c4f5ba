// Response heads, and what we write ourselves.
#include "core/limits.hpp"
#include "link/http.hpp"

#include <gtest/gtest.h>

namespace culvert {
namespace {

TEST(ResponseHead, GivesStatusReasonAndFields) {
  const Result<ResponseHead> head =
      parse_response("HTTP/1.1 401 Token \xE2\x82\xAC (bad)!\r\nWWW-Authenticate: x\r\n0: 1\r\n"
                     "Content-Length: 7\r\n\r\n");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head.value().status, 401);
  EXPECT_EQ(head.value().reason, "Token  (bad)!");
  ASSERT_EQ(head.value().fields.size(), 3U);
  EXPECT_EQ(find_field(head.value().fields, "www-AUTHENTICATE")->value, "x");
  EXPECT_EQ(find_field(head.value().fields, "none"), nullptr);
}

TEST(ResponseHead, WithoutReasonIsRead) {
  const Result<ResponseHead> head = parse_response("HTTP/1.1 200 \r\n\r\n");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head.value().reason, "");
}

TEST(ResponseHead, RefusesWhatIsMalformed) {
  const char *rows[] = {
      "",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\n\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 abc OK\r\n\r\n",
      "HTTP/3.1 200 OK\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\nmore",
  };
  for (const char *row : rows) {
    SCOPED_TRACE(row);
    const Result<ResponseHead> head = parse_response(row);
    ASSERT_FALSE(head.ok());
    EXPECT_EQ(head.status().code, Code::kProtocol);
    EXPECT_EQ(head.status().source, Source::kRelay);
  }
  EXPECT_EQ(parse_response("HTTP/1.1 200 " + std::string(kHeadBytes, 'x')).status().code,
            Code::kTooLarge);
}

TEST(BuildRequest, IsReadBackAsItWasMeant) {
  const Result<std::string> text =
      build_request("GET", "/a?b={c}|\xC3\xA9", "host:1", {{"A-b", "c d"}, {"0", "\"<>\""}});
  ASSERT_TRUE(text.ok());
  RequestHead head;
  ASSERT_EQ(parse_request(text.value(), head), HeadFault::kNone);
  EXPECT_EQ(head.target, "/a?b={c}|\xC3\xA9");
  ASSERT_EQ(head.fields.size(), 3U);
  EXPECT_EQ(head.fields[0].value, "host:1");
  EXPECT_EQ(head.fields[2].value, "\"<>\"");
}

TEST(BuildRequest, RefusesWhatWouldChangeTheHead) {
  struct Row {
    const char *what;
    std::string method, target, authority;
    std::vector<Field> fields;
  };
  const std::vector<Row> rows = {
      {"method", "GE T", "/", "a", {}},
      {"empty method", "", "/", "a", {}},
      {"space in the target", "GET", "/a b", "a", {}},
      {"line in the target", "GET", "/ HTTP/1.1\r\nX: y", "a", {}},
      {"empty target", "GET", "", "a", {}},
      {"line in the authority", "GET", "/", "a\r\nX: y", {}},
      {"empty authority", "GET", "/", "", {}},
      {"line in a name", "GET", "/", "a", {{"X\r\nY", "z"}}},
      {"colon in a name", "GET", "/", "a", {{"X:", "z"}}},
      {"empty name", "GET", "/", "a", {{"", "z"}}},
      {"line in a value", "GET", "/", "a", {{"X", "y\r\nZ: 1"}}},
      {"CR in a value", "GET", "/", "a", {{"X", "y\rz"}}},
      {"LF in a value", "GET", "/", "a", {{"X", "y\nz"}}},
      {"NUL in a value", "GET", "/", "a", {{"X", std::string("y\0z", 3)}}},
      {"space at the end of a value", "GET", "/", "a", {{"X", "y "}}},
      {"a second Host", "GET", "/", "a", {{"hOST", "b"}}},
      {"too long", "GET", "/", "a", {{"X", std::string(kHeadBytes, 'x')}}},
  };
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    EXPECT_FALSE(build_request(row.method, row.target, row.authority, row.fields).ok());
  }
  // The message names the field, never its value.
  const Result<std::string> secret = build_request("GET", "/", "a", {{"X", "hidden\r"}});
  EXPECT_EQ(secret.status().message.find("hidden"), std::string::npos);
}

TEST(BuildResponse, CleansTheReason) {
  const Result<std::string> text =
      build_response(502, "bad\r\nSet-Cookie: a=b \xC3\xA9(<>)\x01", {{"X", "y"}}, "body\r\n");
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), "HTTP/1.1 502 badSet-Cookie: a=b (<>)\r\nX: y\r\nContent-Length: 6\r\n"
                          "\r\nbody\r\n");
  EXPECT_EQ(clean_reason(std::string(600, 'x')).size(), kReasonPhraseBytes);
}

TEST(BuildResponse, WritesTheLengthOnlyWhereABodyMayBe) {
  EXPECT_EQ(build_response(404, "", {}, "").value(),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(build_response(204, "", {}, "").value(), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(build_response(100, "", {}, "").value(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(build_response(599, "", {}, "").value(), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(build_response(304, "", {}, "body").ok());
  EXPECT_FALSE(build_response(99, "", {}, "").ok());
  EXPECT_FALSE(build_response(1000, "", {}, "").ok());
  EXPECT_FALSE(build_response(200, "", {{"Content-Length", "1"}}, "a").ok());
  EXPECT_FALSE(build_response(200, "", {{"transfer-encoding", "chunked"}}, "a").ok());
}

TEST(Fields, HoldTokensInAnyCaseAndAnyOfThem) {
  const std::vector<Field> fields = {{"Connection", "keep-alive, "}, {"connection", " UPGRADE\t"}};
  EXPECT_TRUE(has_token(fields, "CONNECTION", "upgrade"));
  EXPECT_TRUE(has_token(fields, "Connection", "Keep-Alive"));
  EXPECT_FALSE(has_token(fields, "Connection", "keep"));
  EXPECT_FALSE(has_token(fields, "Upgrade", "upgrade"));
}

} // namespace
} // namespace culvert
