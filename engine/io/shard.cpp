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
}

} // namespace culvert
