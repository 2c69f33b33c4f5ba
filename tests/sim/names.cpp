#include "names.hpp"

#include "services.hpp"

namespace culvert::simtest {

namespace {

constexpr std::uint32_t kLifetimeMs = 1'000;

Status no_address(Code code, std::string why) {
  return Status::failure(code, Source::kPlugin, Retry::kBackoff, std::move(why));
}

} // namespace

void WorldResolver::Question::let_go() {
  asked.finish(io, no_address(Code::kTimeout, "no name server has answered"));
}

void WorldResolver::resolve(ResolveName &operation, std::string_view name) {
  if (name != kRelayName || (names_.state == Names::State::kRight && names_.relay.empty())) {
    real_->resolve(operation, name);
    return;
  }
  switch (names_.state) {
  case Names::State::kSilent:
    unanswered_.push_back({io_, operation});
    operation.begin(Delegate<>::to<&Question::let_go>(unanswered_.back()));
    return;
  case Names::State::kFailing:
    operation.finish(io_, no_address(Code::kNoName, "the name servers have no address now"));
    return;
  case Names::State::kRight:
    break;
  }
  Addresses found{{}, kLifetimeMs};
  for (const std::string &host : names_.relay) {
    found.addresses.push_back(*Address::from_literal(host, 0));
  }
  operation.finish(io_, std::move(found));
}

} // namespace culvert::simtest
