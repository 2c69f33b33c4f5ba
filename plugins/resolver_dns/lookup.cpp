#include "lookup.hpp"

#include <algorithm>
#include <utility>

namespace dns {

Lookup::Lookup(std::string name_of_it, std::vector<std::string> candidates)
    : name(std::move(name_of_it)), candidates_(std::move(candidates)) {
  queries_[0].type = Type::kAaaa;
  queries_[1].type = Type::kA;
  for (Query &query : queries_) {
    query.owner = this;
  }
}

void Lookup::ask(Channel &channel) {
  for (Query &query : queries_) {
    query.answer = {};
    query.ended = false;
  }
  for (Query &query : queries_) {
    channel.ask(query, candidates_[at_]);
  }
}

bool Lookup::any(Answer::Kind kind) const {
  return std::any_of(queries_.begin(), queries_.end(), [kind](const Query &query) {
    return query.ended && query.answer.kind == kind;
  });
}

Lookup::State Lookup::look(Channel &channel) {
  const bool found = any(Answer::Kind::kFound);
  if (!std::all_of(queries_.begin(), queries_.end(), [](const Query &one) { return one.ended; })) {
    return found ? State::kPartly : State::kAsking;
  }
  if (found) {
    return State::kFound;
  }
  // A name that does not exist has neither family, whatever became of the other question.
  if (any(Answer::Kind::kNoAnswer) && !any(Answer::Kind::kNoName)) {
    const bool first = queries_[0].answer.kind == Answer::Kind::kNoAnswer;
    status_ = queries_[first ? 0 : 1].answer.status;
    return State::kNoAnswer;
  }
  for (const Query &query : queries_) {
    none_ttl_s_ = std::min(none_ttl_s_, query.answer.ttl_s);
  }
  if (at_ + 1 == candidates_.size()) {
    return State::kNone;
  }
  ++at_;
  ask(channel);
  return State::kAsking;
}

std::vector<culvert_address> Lookup::addresses() const {
  std::vector<culvert_address> all;
  const auto &six = queries_[0].answer.addresses;
  const auto &four = queries_[1].answer.addresses;
  for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    for (const auto *family : {&six, &four}) {
      if (i < family->size() && all.size() < CULVERT_MOST_ADDRESSES) {
        all.push_back((*family)[i]);
      }
    }
  }
  return all;
}

std::uint32_t Lookup::ttl_s() const {
  std::uint32_t least = UINT32_MAX;
  for (const Query &query : queries_) {
    if (!query.answer.addresses.empty()) {
      least = std::min(least, query.answer.ttl_s);
    }
  }
  return least == UINT32_MAX ? none_ttl_s_ : least;
}

} // namespace dns
