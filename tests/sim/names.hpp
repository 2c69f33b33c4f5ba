// What the name servers of a simulated world say of the relay, and the resolver of one client.
//
// Used on the one thread of the world. All other names, and the relay's as long as nobody has set
// its addresses, are the real plugin's.
#pragma once

#include "io/address.hpp"
#include "plugin/kinds.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace culvert::simtest {

struct Names {
  enum class State : std::uint8_t {
    kRight,   // the addresses are `relay`
    kFailing, // there is no address at the moment
    kSilent   // a question is never answered, not even later
  };
  State state = State::kRight;
  std::vector<std::string> relay; // hosts, in the order of the answer; empty: as configured
};

class WorldResolver final : public Resolver {
public:
  WorldResolver(Io &io, const Names &names, std::unique_ptr<Resolver> real)
      : io_(io), names_(names), real_(std::move(real)) {}
  void resolve(ResolveName &operation, std::string_view name) override;

private:
  /// A question that nobody answers.
  struct Question {
    Io &io;
    ResolveName &asked;
    void let_go();
  };

  Io &io_;
  const Names &names_;
  const std::unique_ptr<Resolver> real_;
  std::deque<Question> unanswered_;
};

} // namespace culvert::simtest
