#include "thief.hpp"

#include "role/relay/capability.hpp"

#include <cctype>

namespace culvert::simtest {

namespace {

/// Changes the last digit of the capability in a text; false when there is none.
bool forge(std::string &text) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    run = std::isxdigit(static_cast<unsigned char>(text[i])) != 0 ? run + 1 : 0;
    if (run == 2 * kCapabilityBytes) {
      text[i] = text[i] == '0' ? '1' : '0';
      return true;
    }
  }
  return false;
}

} // namespace

void Thief::steal(LinkDescription description) {
  if (!forge(description.target) && !forge(description.message)) {
    judge_.fail("the thief finds no capability in an offer");
    return;
  }
  tries_.push_back(std::make_unique<Outbound>(instances_.kit(shard_, *transport_),
                                              Delegate<Outbound &>::to<&Thief::on_done>(*this)));
  tries_.back()->start(Purpose::kAccept, std::move(description), "thief");
}

void Thief::on_done(Outbound &outbound) {
  if (outbound.status().ok()) {
    judge_.fail("a forged capability was redeemed");
    loot_ = outbound.take_link();
  }
}

} // namespace culvert::simtest
