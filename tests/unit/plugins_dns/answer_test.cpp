// What a DNS server's bytes mean, also damaged ones.
#include "resolver_dns/answer.hpp"
#include "resolver_dns/ares.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dns {
namespace {

using Bytes = std::vector<unsigned char>;

void add16(Bytes &bytes, unsigned value) {
  bytes.push_back(static_cast<unsigned char>(value >> 8U));
  bytes.push_back(static_cast<unsigned char>(value));
}
void add32(Bytes &bytes, unsigned value) {
  add16(bytes, value >> 16U);
  add16(bytes, value & 0xffffU);
}
void add_name(Bytes &bytes, const std::string &label) {
  bytes.push_back(static_cast<unsigned char>(label.size()));
  bytes.insert(bytes.end(), label.begin(), label.end());
  bytes.push_back(0);
}
void add_record(Bytes &bytes, unsigned type, unsigned ttl, const Bytes &data) {
  add16(bytes, 0xc00c); // the question's name
  add16(bytes, type);
  add16(bytes, 1);
  add32(bytes, ttl);
  add16(bytes, static_cast<unsigned>(data.size()));
  bytes.insert(bytes.end(), data.begin(), data.end());
}
Bytes message(unsigned type, unsigned answers, unsigned authorities, unsigned rcode = 0) {
  Bytes bytes;
  add16(bytes, 0x1234);
  add16(bytes, 0x8180U | rcode);
  add16(bytes, 1);
  add16(bytes, answers);
  add16(bytes, authorities);
  add16(bytes, 0);
  add_name(bytes, "name");
  add16(bytes, type);
  add16(bytes, 1);
  return bytes;
}
Bytes soa(unsigned minimum) {
  Bytes data;
  add_name(data, "ns");
  add_name(data, "host");
  for (const unsigned number : {1U, 2U, 3U, 4U, minimum}) {
    add32(data, number);
  }
  return data;
}

TEST(DnsAnswer, HasAddressesAndTheLeastTtl) {
  Bytes bytes = message(1, 2, 0);
  add_record(bytes, 1, 300, {10, 0, 0, 1});
  add_record(bytes, 1, 60, {10, 0, 0, 2});
  const Answer answer = read_answer(Type::kA, ARES_SUCCESS, bytes);
  ASSERT_EQ(answer.kind, Answer::Kind::kFound);
  ASSERT_EQ(answer.addresses.size(), 2U);
  EXPECT_EQ(answer.addresses[1].bytes[3], 2);
  EXPECT_EQ(answer.ttl_s, 60U);
}

TEST(DnsAnswer, OfIpv6IsReadAsThat) {
  Bytes bytes = message(28, 1, 0);
  Bytes address(16, 0);
  address[15] = 9;
  add_record(bytes, 28, 5, address);
  const Answer answer = read_answer(Type::kAaaa, ARES_SUCCESS, bytes);
  ASSERT_EQ(answer.addresses.size(), 1U);
  EXPECT_EQ(answer.addresses[0].family, std::uint32_t{CULVERT_IPV6});
  EXPECT_EQ(answer.addresses[0].bytes[15], 9);
  EXPECT_EQ(answer.ttl_s, 5U);
}

TEST(DnsAnswer, WithoutAddressesItLastsForTheSoasMinimum) {
  for (const auto &[status, kind] : {std::pair(ARES_ENODATA, Answer::Kind::kNone),
                                     std::pair(ARES_ENOTFOUND, Answer::Kind::kNoName)}) {
    Bytes bytes = message(1, 0, 1, status == ARES_ENOTFOUND ? 3 : 0);
    add_record(bytes, 6, 3600, soa(30));
    Answer answer = read_answer(Type::kA, status, bytes);
    EXPECT_EQ(answer.kind, kind);
    EXPECT_EQ(answer.ttl_s, 30U);
    bytes = message(1, 0, 1);
    add_record(bytes, 6, 20, soa(30));
    EXPECT_EQ(read_answer(Type::kA, status, bytes).ttl_s, 20U) << "the SOA's own TTL is less";
    EXPECT_EQ(read_answer(Type::kA, status, message(1, 0, 0)).ttl_s, 0U) << "no SOA";
    EXPECT_EQ(read_answer(Type::kA, status, {}).ttl_s, 0U);
  }
}

TEST(DnsAnswer, AnAliasThatLeadsNowhereHasNoAddress) {
  Bytes bytes = message(1, 1, 0);
  Bytes target;
  add_name(target, "other");
  add_record(bytes, 5, 60, target);
  EXPECT_EQ(read_answer(Type::kA, ARES_SUCCESS, bytes).kind, Answer::Kind::kNone);
}

TEST(DnsAnswer, AFailureOfTheServerIsNoAnswer) {
  for (const int status : {ARES_ETIMEOUT, ARES_ESERVFAIL, ARES_EREFUSED, ARES_ECONNREFUSED}) {
    const Answer answer = read_answer(Type::kA, status, {});
    EXPECT_EQ(answer.kind, Answer::Kind::kNoAnswer);
    EXPECT_EQ(answer.status, status);
  }
  EXPECT_EQ(read_answer(Type::kA, ARES_EBADNAME, {}).kind, Answer::Kind::kBadName);
}

TEST(DnsAnswer, CutOrDamagedAnywhereItIsReadWithoutHarm) {
  Bytes whole = message(1, 1, 1);
  add_record(whole, 1, 300, {10, 0, 0, 1});
  add_record(whole, 6, 300, soa(30));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    for (const int status : {ARES_SUCCESS, ARES_ENODATA}) {
      const Answer answer = read_answer(Type::kA, status, cut);
      EXPECT_LE(answer.addresses.size(), 1U);
    }
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned value : {0U, 1U, 63U, 0xc0U, 0xffU}) {
      Bytes damaged = whole;
      damaged[at] = static_cast<unsigned char>(value);
      for (const int status : {ARES_SUCCESS, ARES_ENODATA}) {
        const Answer answer = read_answer(Type::kA, status, damaged);
        EXPECT_EQ(answer.kind == Answer::Kind::kFound, !answer.addresses.empty());
      }
    }
  }
}

} // namespace
} // namespace dns
