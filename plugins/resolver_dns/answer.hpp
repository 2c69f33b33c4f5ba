// What a DNS server's answer to one question means.
//
// Pure functions of bytes that come from the network; c-ares and the C library read the records.
#pragma once

#include "culvert/resolver.h"

#include <cstdint>
#include <span>
#include <vector>

namespace dns {

enum class Type : std::uint8_t { kA, kAaaa };

struct Answer {
  enum class Kind : std::uint8_t {
    kFound,
    kNone,     // the name exists and has no such address
    kNoName,   // the name does not exist
    kNoAnswer, // no server answered, or none with a usable answer
    kBadName   // nobody can have such a name
  };
  Kind kind = Kind::kNoAnswer;
  std::vector<culvert_address> addresses;
  /// How long the answer may be used again. A name without an address: the SOA's minimum (RFC 2308,
  /// section 5), 0 without a SOA.
  std::uint32_t ttl_s = 0;
  int status = 0; // of c-ares: why there is no answer
};

/// `status` and `bytes` as c-ares passes them to the callback of a query.
Answer read_answer(Type type, int status, std::span<const unsigned char> bytes);

} // namespace dns
