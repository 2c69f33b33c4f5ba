// DNS messages as the responder sees them: what a query asks, and the answers about redirected
// names. ldns reads and writes them.
//
// Pure functions and immutable values; safe from any thread. RFC 1035, RFC 6891 (EDNS).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace culvert::dns {

using Message = std::vector<std::uint8_t>;

/// The names that are redirected, each to one IPv4 address.
class NameTable {
public:
  using Address = std::array<std::uint8_t, 4>;

  /// `addresses`: by name, in lower case without a dot at its end, in text form. Several names may
  /// have one address; a question for the address is answered with the first of them.
  explicit NameTable(const std::map<std::string, std::string> &addresses);
  [[nodiscard]] const Address *address_of(const std::string &name) const;
  /// `reverse`: "1.0.0.127.in-addr.arpa"; nullptr: no name has the address.
  [[nodiscard]] const std::string *name_of(const std::string &reverse) const;

private:
  std::map<std::string, Address> addresses_;
  std::map<std::string, std::string> names_; // by the address, as it is asked for
};

/// A query that has one question, as it came.
struct Query {
  Message bytes;
  std::size_t question_size = 0; // of the question's bytes behind the header
  std::string name;              // lower case, without the dot at its end
  std::size_t answer_size = 512; // the largest answer that a UDP client takes
};

enum class Rcode : std::uint8_t { kNone = 0, kFormat = 1, kServerFailure = 2, kRefused = 5 };

/// What to do with a message: nothing (neither member), send `answer`, or ask an upstream.
struct Decision {
  std::optional<Message> answer;
  std::optional<Query> query;
};
/// A question about a redirected name or its address is answered, for `ttl_s`; a message that is no
/// query is dropped; a query that cannot be read is answered with FORMERR, and one of an unusual
/// form (another class, operation or version) about a redirected name with REFUSED; all else is for
/// an upstream. A redirected name has an A record and nothing else, so that no client finds another
/// way to the real host.
Decision decide(std::span<const std::uint8_t> message, const NameTable &names, std::uint32_t ttl_s);

/// An answer without records.
Message failure(const Query &query, Rcode rcode);
/// For a UDP client whose answer is too large for it: it asks again, over TCP.
Message truncated(const Query &query);
/// The same message with another id.
Message with_id(Message message, std::uint16_t id);
std::uint16_t id_of(const Message &message);
Rcode rcode_of(const Message &message);
/// Whether it is an answer to the query: same id, same question (case does not count). An answer
/// without a question is one only if it reports a failure.
bool is_answer(const Query &query, std::span<const std::uint8_t> answer);
/// A query for the A record of a name.
Query question(const std::string &name);

} // namespace culvert::dns
