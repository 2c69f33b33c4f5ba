// Request heads: what is refused and how, and what must come through unchanged.
#include "core/limits.hpp"
#include "link/http.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace culvert {
namespace {

struct Refused {
  const char *what;
  std::string head;
  HeadFault fault;
  unsigned status;
};

std::string with(const std::string &fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

const std::vector<Refused> kRefused = {
    {"nothing", "", HeadFault::kMalformed, 400},
    {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::kMalformed, 400},
    {"no end", "GET / HTTP/1.1\r\nHost: a\r\n", HeadFault::kMalformed, 400},
    {"bytes behind the end", with("") + "x", HeadFault::kMalformed, 400},
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", HeadFault::kMalformed, 400},
    {"bare LF in a value", with("A: b\nC: d\r\n"), HeadFault::kMalformed, 400},
    {"bare CR in a value", with("A: b\rC: d\r\n"), HeadFault::kMalformed, 400},
    {"CR CR LF", with("A: b\r\r\n"), HeadFault::kMalformed, 400},
    {"NUL in a value", with(std::string("A: b\0c\r\n", 8)), HeadFault::kMalformed, 400},
    {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28),
     HeadFault::kMalformed, 400},
    {"a control byte", with("A: b\x01\r\n"), HeadFault::kMalformed, 400},
    {"DEL", with("A: b\x7f\r\n"), HeadFault::kMalformed, 400},
    {"a folded field", with("A: b\r\n c\r\n"), HeadFault::kMalformed, 400},
    {"a field folded with a tab", with("A: b\r\n\tc\r\n"), HeadFault::kMalformed, 400},
    {"a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", HeadFault::kMalformed,
     400},
    {"a space before the colon", with("A : b\r\n"), HeadFault::kMalformed, 400},
    {"a field without a name", with(": b\r\n"), HeadFault::kMalformed, 400},
    {"a field without a colon", with("AB\r\n"), HeadFault::kMalformed, 400},
    {"a slash in a name", with("A/B: c\r\n"), HeadFault::kMalformed, 400},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::kMalformed, 400},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::kMalformed, 400},
    {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::kVersion, 505},
    {"a method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::kMalformed, 400},
    {"no version", "GET /\r\nHost: a\r\n\r\n", HeadFault::kMalformed, 400},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", HeadFault::kVersion, 505},
    {"a lower-case protocol", "GET / http/1.1\r\nHost: a\r\n\r\n", HeadFault::kVersion, 505},
    {"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", HeadFault::kHost, 400},
    {"two Hosts", with("Host: a\r\n"), HeadFault::kHost, 400},
    {"two different Hosts", with("hOST: b\r\n"), HeadFault::kHost, 400},
    {"length and chunked", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
     HeadFault::kBodyLength, 400},
    {"chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
     HeadFault::kBodyLength, 400},
    {"two lengths", with("Content-Length: 3\r\nContent-Length: 4\r\n"), HeadFault::kBodyLength,
     400},
    {"the same length twice", with("Content-Length: 3\r\nContent-Length: 3\r\n"),
     HeadFault::kBodyLength, 400},
    {"a list of lengths", with("Content-Length: 3, 3\r\n"), HeadFault::kBodyLength, 400},
    {"a negative length", with("Content-Length: -3\r\n"), HeadFault::kBodyLength, 400},
    {"a signed length", with("Content-Length: +3\r\n"), HeadFault::kBodyLength, 400},
    {"a hexadecimal length", with("Content-Length: 0x3\r\n"), HeadFault::kBodyLength, 400},
    {"an empty length", with("Content-Length:\r\n"), HeadFault::kBodyLength, 400},
    {"a length beyond 64 bits", with("Content-Length: 99999999999999999999\r\n"),
     HeadFault::kBodyLength, 400},
    {"an unknown coding", with("Transfer-Encoding: gzip\r\n"), HeadFault::kTransferEncoding, 501},
    {"two codings", with("Transfer-Encoding: gzip, chunked\r\n"), HeadFault::kTransferEncoding,
     501},
    {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     HeadFault::kTransferEncoding, 501},
    {"chunked in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
     HeadFault::kTransferEncoding, 501},
    {"an unknown expectation", with("Expect: a miracle\r\n"), HeadFault::kExpectation, 417},
    {"too long", with("A: " + std::string(kHeadBytes, 'x') + "\r\n"), HeadFault::kTooLarge, 431},
    {"too many fields", with([] {
       std::string fields;
       for (int i = 0; i < 9000; ++i) {
         fields += "A:b\r\n";
       }
       return fields;
     }()),
     HeadFault::kTooLarge, 431},
};

TEST(RequestHead, RefusesWhatIsMalformed) {
  for (const Refused &row : kRefused) {
    SCOPED_TRACE(row.what);
    RequestHead head;
    const HeadFault fault = parse_request(row.head, head);
    EXPECT_EQ(static_cast<int>(fault), static_cast<int>(row.fault));
    EXPECT_EQ(refusal(fault).status, row.status);
    EXPECT_EQ(refusal(fault).reason, standard_reason(refusal(fault).status));
  }
}

TEST(RequestHead, KeepsTargetAndFieldsByteForByte) {
  const std::string target = "/$hc/a{b}|c\xC3\xA9?x=%2F+\"<>\\^`&y=#z";
  const std::string name = "!#$%&'*+-.^_`|~azAZ09";
  const std::string value = "!#$%&*+-.^_`~*|\"'(){}[]<>=/,:;@\\` \xC3\xA9\tend";
  RequestHead head;
  ASSERT_EQ(parse_request("OPTIONS " + target + " HTTP/1.1\r\nhOsT: a:1\r\n" + name + ":" + value +
                              "\r\n0: zero\r\nempty:\r\nspaced: \t v \t\r\n\r\n",
                          head),
            HeadFault::kNone);
  EXPECT_EQ(head.method, "OPTIONS");
  EXPECT_EQ(head.target, target);
  EXPECT_EQ(head.minor_version, 1U);
  ASSERT_EQ(head.fields.size(), 5U);
  EXPECT_EQ(head.fields[0].name, "hOsT");
  EXPECT_EQ(head.fields[0].value, "a:1");
  EXPECT_EQ(head.fields[1].name, name);
  EXPECT_EQ(head.fields[1].value, value);
  EXPECT_EQ(head.fields[2].name, "0");
  EXPECT_EQ(head.fields[2].value, "zero");
  EXPECT_EQ(head.fields[3].value, "");
  EXPECT_EQ(head.fields[4].value, "v");
}

TEST(RequestHead, TellsTheBody) {
  RequestHead head;
  ASSERT_EQ(parse_request(with(""), head), HeadFault::kNone);
  EXPECT_EQ(head.body, HttpBody::kNone);
  ASSERT_EQ(parse_request(with("Content-Length: 5000000000\r\nExpect: 100-Continue\r\n"), head),
            HeadFault::kNone);
  EXPECT_EQ(head.body, HttpBody::kLength);
  EXPECT_EQ(head.body_length, 5'000'000'000U);
  EXPECT_TRUE(head.expects_continue);
  ASSERT_EQ(parse_request(with("Transfer-Encoding: Chunked\r\n"), head), HeadFault::kNone);
  EXPECT_EQ(head.body, HttpBody::kChunked);
  EXPECT_FALSE(head.expects_continue);
  ASSERT_EQ(parse_request("GET / HTTP/1.0\r\n\r\n", head), HeadFault::kNone);
  EXPECT_EQ(head.minor_version, 0U);
}

TEST(RequestHead, OfTheLargestSizeIsRead) {
  const std::string frame = with("A: \r\n");
  const std::string exact = with("A: " + std::string(kHeadBytes - frame.size(), 'x') + "\r\n");
  ASSERT_EQ(exact.size(), kHeadBytes);
  RequestHead head;
  EXPECT_EQ(parse_request(exact, head), HeadFault::kNone);
}

TEST(HeadScanner, FindsTheEndInAnySplitAndTakesNoMore) {
  const std::string head = with("A: b\r\n");
  const std::string stream = head + "\r\nrest";
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    HeadScanner scanner;
    std::size_t used = scanner.feed(std::string_view(stream).substr(0, split));
    EXPECT_EQ(used, std::min(split, head.size()));
    used += scanner.feed(std::string_view(stream).substr(split));
    EXPECT_TRUE(scanner.done());
    EXPECT_EQ(used, head.size());
  }
}

TEST(HeadScanner, RefusesTheFirstImpossibleByteWithoutWaitingForTheEnd) {
  HeadScanner scanner;
  EXPECT_EQ(scanner.feed(std::string_view("\x16\x03\x01 a TLS hello", 15)), 1U);
  EXPECT_EQ(scanner.fault(), HeadFault::kMalformed);
  HeadScanner lines;
  lines.feed("GET / HTTP/1.1\n");
  EXPECT_EQ(lines.fault(), HeadFault::kMalformed);
}

} // namespace
} // namespace culvert
