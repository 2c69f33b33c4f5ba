// The search for one name's addresses: an A and an AAAA question for each candidate in turn, shared
// by all who wait for the name.
//
// A value of the resolver that owns it, which keeps it in place while its queries are under way.
#pragma once

#include "channel.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dns {

class Lookup {
public:
  /// What it knows when a query of it has ended.
  enum class State : std::uint8_t {
    kAsking, // nothing yet
    kPartly, // addresses of one family; the other question is under way
    kFound,  // addresses
    kNone,   // no candidate has an address
    kNoAnswer
  };

  /// `candidates`: at least one; each is asked for when the one before it has no address.
  Lookup(std::string name, std::vector<std::string> candidates);
  Lookup(const Lookup &) = delete;
  Lookup &operator=(const Lookup &) = delete;

  void ask(Channel &channel);
  void on_delay();
  /// Reads the queries that have ended. When a candidate has no address it asks for the next one.
  State look(Channel &channel);

  /// Of both families in turn, IPv6 first (RFC 8305, section 4).
  [[nodiscard]] std::vector<culvert_address> addresses() const;
  /// Of the addresses, or of their absence.
  [[nodiscard]] std::uint32_t ttl_s() const;
  /// Of c-ares: why no server answered.
  [[nodiscard]] int status() const { return status_; }

  const std::string name;
  std::vector<culvert_resolve *> waiting;
  std::uint64_t delay = 0; // the number of the timer that ends the wait for the other family
  class Resolver *resolver = nullptr; // its owner

private:
  [[nodiscard]] bool any(Answer::Kind kind) const;

  const std::vector<std::string> candidates_;
  std::size_t at_ = 0; // the candidate that is asked for
  std::array<Query, 2> queries_;
  std::uint32_t none_ttl_s_ = UINT32_MAX; // the least of the candidates before
  int status_ = 0;
};

} // namespace dns
