// Finished operations copied out of the kernel, waiting for their callbacks.
//
// Two first-in-first-out rings: one for bulk streams, one for everything else (the short ones).
// Short ones go first. But while bulk streams wait, one of them has its turn after each
// kShortTurnsPerBulk short turns, so neither kind can starve the other. A ring grows when more
// operations are in flight than ever before and never shrinks, so a steady state allocates nothing.
//
// Used by the shard's thread; it does not own the completions in it.
#pragma once

#include "core/limits.hpp"
#include "io/completion.hpp"

#include <cstddef>
#include <vector>

namespace culvert {

class ReadyQueue {
public:
  struct Entry {
    Completion *completion = nullptr;
    Outcome outcome;
  };

  void push(Completion &completion, Outcome outcome) {
    (completion.bulk ? bulk_ : short_).push({&completion, outcome});
  }
  [[nodiscard]] bool empty() const { return short_.size_ == 0 && bulk_.size_ == 0; }
  /// True if pop() will return a bulk turn. The queue must not be empty.
  [[nodiscard]] bool bulk_is_next() const {
    return bulk_.size_ > 0 && (short_.size_ == 0 || passed_bulk_ >= kShortTurnsPerBulk);
  }
  Entry pop() {
    if (bulk_is_next()) {
      passed_bulk_ = 0;
      return bulk_.pop();
    }
    passed_bulk_ = bulk_.size_ > 0 ? passed_bulk_ + 1 : 0;
    return short_.pop();
  }

private:
  struct Ring {
    void push(Entry entry) {
      if (size_ == slots_.size()) {
        grow();
      }
      slots_[(first_ + size_) % slots_.size()] = entry;
      ++size_;
    }
    Entry pop() {
      CULVERT_ASSERT(size_ > 0);
      const Entry entry = slots_[first_];
      first_ = (first_ + 1) % slots_.size();
      --size_;
      return entry;
    }
    void grow() {
      std::vector<Entry> larger(slots_.empty() ? 64 : slots_.size() * 2);
      for (std::size_t i = 0; i < size_; ++i) {
        larger[i] = slots_[(first_ + i) % slots_.size()];
      }
      slots_.swap(larger);
      first_ = 0;
    }
    std::vector<Entry> slots_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
  };
  Ring short_;
  Ring bulk_;
  int passed_bulk_ = 0; // short turns since the last bulk turn, while a bulk turn waited
};

} // namespace culvert
