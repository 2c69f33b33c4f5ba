#include "link/held_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace culvert {

struct HeldBytes::Block {
  Block *next;
  std::size_t begin;
  std::size_t end;
  std::array<std::byte, kHeldBlockBytes - sizeof(void *) - 2 * sizeof(std::size_t)> bytes;
};

void HeldBytes::append(std::span<const std::byte> bytes) {
  budget_->take(bytes.size());
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (last_ == nullptr || last_->end == last_->bytes.size()) {
      static_assert(sizeof(Block) == kHeldBlockBytes);
      auto *block = new Block; // its bytes stay uninitialized
      block->next = nullptr;
      block->begin = block->end = 0;
      (last_ == nullptr ? first_ : last_->next) = block;
      last_ = block;
      ++blocks_;
    }
    const std::size_t count = std::min(bytes.size(), last_->bytes.size() - last_->end);
    std::memcpy(last_->bytes.data() + last_->end, bytes.data(), count);
    last_->end += count;
    bytes = bytes.subspan(count);
  }
}

std::size_t HeldBytes::front(std::span<std::span<const std::byte>> parts) const {
  std::size_t used = 0;
  for (Block *block = first_; block != nullptr && used < parts.size(); block = block->next) {
    parts[used++] = {block->bytes.data() + block->begin, block->end - block->begin};
  }
  return used;
}

void HeldBytes::consume(std::size_t count) {
  CULVERT_ASSERT(count <= size_);
  if (count == 0) {
    return;
  }
  size_ -= count;
  if (budget_ != nullptr) { // nullptr between two shards: counted in neither
    budget_->give(count);
  }
  while (count > 0) {
    const std::size_t here = std::min(count, first_->end - first_->begin);
    first_->begin += here;
    count -= here;
    if (first_->begin == first_->end) {
      drop_first();
    }
  }
}

void HeldBytes::drop_first() {
  Block *const block = first_;
  first_ = block->next;
  if (first_ == nullptr) {
    last_ = nullptr;
  }
  delete block;
  --blocks_;
}

void HeldBytes::release() {
  CULVERT_ASSERT(budget_ != nullptr);
  budget_->give(size_);
  budget_ = nullptr;
}

void HeldBytes::take_over(HeldBudget &budget) {
  CULVERT_ASSERT(budget_ == nullptr);
  budget_ = &budget;
  budget_->take(size_);
}

} // namespace culvert
