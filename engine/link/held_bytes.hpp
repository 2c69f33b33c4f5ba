// Bytes a link accepted and its kernel refused, in order, until the kernel takes them.
//
// Used on one shard only, but for a move: release() on the old shard, take_over() on the new one.
// It owns its blocks and counts its bytes in the shard's budget. Blocks come from the heap and go
// back as soon as they are empty: a sink that keeps up holds nothing, so its steady state allocates
// nothing. Memory is the bytes held plus less than one block at each end of the chain.
#pragma once

#include "io/shard.hpp"

#include <cstddef>
#include <span>

namespace culvert {

class HeldBytes {
public:
  explicit HeldBytes(HeldBudget &budget) : budget_(&budget) {}
  HeldBytes(const HeldBytes &) = delete;
  HeldBytes &operator=(const HeldBytes &) = delete;
  ~HeldBytes() { clear(); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Bytes of heap behind it, for tests.
  [[nodiscard]] std::size_t memory() const { return blocks_ * kHeldBlockBytes; }

  /// Copies them behind what is held.
  void append(std::span<const std::byte> bytes);
  /// Fills `parts` from the front of what is held; how many it used. Valid until the next call of
  /// another member.
  [[nodiscard]] std::size_t front(std::span<std::span<const std::byte>> parts) const;
  /// Forgets the first `count` bytes.
  void consume(std::size_t count);
  void clear() { consume(size_); }

  /// Leaves the budget of the shard it is on. Nothing but take_over() and the
  /// destructor may follow.
  void release();
  void take_over(HeldBudget &budget);

private:
  struct Block;
  void drop_first();

  HeldBudget *budget_;
  Block *first_ = nullptr;
  Block *last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t blocks_ = 0;
};

} // namespace culvert
