// Bytes that a link has accepted and the kernel has not taken yet, in order.
//
// Used on one shard only. To move to another shard, call release() on the old one and take_over()
// on the new one. It owns its blocks and counts its bytes in the shard's budget. Blocks are
// allocated when needed and freed as soon as they are empty: a sink that keeps up holds nothing, so
// its steady state allocates nothing. It uses as much memory as the bytes held plus less than one
// block at each end of the chain.
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
  /// Bytes of memory it uses, for tests.
  [[nodiscard]] std::size_t memory() const { return blocks_ * kHeldBlockBytes; }

  /// Appends a copy of the bytes.
  void append(std::span<const std::byte> bytes);
  /// Fills `parts` from the front of the held bytes and returns how many it used. They are valid
  /// until the next call of another member.
  [[nodiscard]] std::size_t front(std::span<std::span<const std::byte>> parts) const;
  /// Removes the first `count` bytes.
  void consume(std::size_t count);
  void clear() { consume(size_); }

  /// Stops counting in its shard's budget. After it only take_over() or the destructor may be
  /// called.
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
