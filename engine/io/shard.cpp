#include "io/shard.hpp"

#include <algorithm>

namespace culvert {

TurnBuffers::TurnBuffers()
    : base_(new std::byte[4 * kHeadroom + kTurnBytes + kDirectionHeldBytes + 2 * kRecordBytes]) {}

void HeldBudget::take(std::size_t bytes) {
  held_ += bytes;
  peak_ = std::max(peak_, held_);
}

void HeldBudget::give(std::size_t bytes) {
  CULVERT_ASSERT(bytes <= held_);
  held_ -= bytes;
  if (!waiters_.empty() && available() >= kMinTurnBytes && !tick_.in_flight()) {
    io_.yield(tick_);
  }
}

void HeldBudget::on_tick(Outcome) {
  for (std::size_t room = available() / kMinTurnBytes; room > 0; --room) {
    BudgetWaiter *waiter = waiters_.pop_front();
    if (waiter == nullptr) {
      return;
    }
    waiter->callback_();
  }
  // Whoever was let in may have nothing to receive, and then gives nothing back: the others must
  // not wait for that.
  if (!waiters_.empty() && available() >= kMinTurnBytes && !tick_.in_flight()) {
    io_.yield(tick_);
  }
}

} // namespace culvert
