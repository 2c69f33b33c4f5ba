#include "answer.hpp"

#include "ares.hpp"

#include <algorithm>
#include <arpa/nameser.h>
#include <array>
#include <cstring>
#include <resolv.h>

namespace dns {
namespace {

constexpr std::size_t kMostRecords = CULVERT_MOST_ADDRESSES;

Answer::Kind kind_of(int status) {
  switch (status) {
  case ARES_SUCCESS:
    return Answer::Kind::kFound;
  case ARES_ENODATA:
    return Answer::Kind::kNone;
  case ARES_ENOTFOUND:
    return Answer::Kind::kNoName;
  case ARES_EBADNAME:
    return Answer::Kind::kBadName;
  default:
    return Answer::Kind::kNoAnswer;
  }
}

/// The smaller one of the SOA's TTL and its minimum.
std::uint32_t negative_ttl(std::span<const unsigned char> bytes) {
  constexpr int kNumbers = 20; // serial, refresh, retry, expire, minimum
  ns_msg message;
  if (bytes.empty() || ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) < 0) {
    return 0;
  }
  for (int i = 0; i < ns_msg_count(message, ns_s_ns); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_ns, i, &record) < 0) {
      return 0;
    }
    if (ns_rr_type(record) != ns_t_soa) {
      continue;
    }
    const unsigned char *at = ns_rr_rdata(record);
    const unsigned char *const end = at + ns_rr_rdlen(record);
    for (int name = 0; name < 2; ++name) {
      const int size = dn_skipname(at, end);
      if (size < 0) {
        return 0;
      }
      at += size;
    }
    return end - at < kNumbers ? 0 : std::min<std::uint32_t>(ns_rr_ttl(record), ns_get32(at + 16));
  }
  return 0;
}

/// Adds an address and lowers the answer's TTL; a TTL below 0 counts as 0 (RFC 2181, section 8).
void add(Answer &answer, std::uint32_t family, const void *bytes, std::size_t size, int ttl) {
  culvert_address address{};
  address.family = family;
  std::memcpy(address.bytes, bytes, size);
  const auto ttl_s = static_cast<std::uint32_t>(std::max(ttl, 0));
  answer.ttl_s = answer.addresses.empty() ? ttl_s : std::min(answer.ttl_s, ttl_s);
  answer.addresses.push_back(address);
}

int read_a(std::span<const unsigned char> bytes, Answer &answer) {
  std::array<ares_addrttl, kMostRecords> records{};
  int count = static_cast<int>(records.size());
  const int status = ares_parse_a_reply(bytes.data(), static_cast<int>(bytes.size()), nullptr,
                                        records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    const ares_addrttl &record = records[static_cast<std::size_t>(i)];
    add(answer, CULVERT_IPV4, &record.ipaddr, 4, record.ttl);
  }
  return status;
}

int read_aaaa(std::span<const unsigned char> bytes, Answer &answer) {
  std::array<ares_addr6ttl, kMostRecords> records{};
  int count = static_cast<int>(records.size());
  const int status = ares_parse_aaaa_reply(bytes.data(), static_cast<int>(bytes.size()), nullptr,
                                           records.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    const ares_addr6ttl &record = records[static_cast<std::size_t>(i)];
    add(answer, CULVERT_IPV6, &record.ip6addr, 16, record.ttl);
  }
  return status;
}

} // namespace

Answer read_answer(Type type, int status, std::span<const unsigned char> bytes) {
  Answer answer;
  if (status == ARES_SUCCESS) {
    status = type == Type::kA ? read_a(bytes, answer) : read_aaaa(bytes, answer);
  }
  answer.status = status;
  answer.kind = kind_of(status);
  if (answer.kind == Answer::Kind::kFound && answer.addresses.empty()) {
    answer.kind = Answer::Kind::kNone;
  }
  if (answer.kind == Answer::Kind::kNone || answer.kind == Answer::Kind::kNoName) {
    answer.ttl_s = negative_ttl(bytes);
  }
  return answer;
}

} // namespace dns
