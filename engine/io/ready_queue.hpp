// Finished operations copied out of the kernel, waiting for their callbacks.
//
// Two first-in-first-out rings: completions of bulk streams wait behind all others. A ring grows
// when more operations are in flight than ever before and never shrinks, so a steady state
// allocates nothing.
#pragma once

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
    (completion.bulk ? bulk_ : interactive_).push({&completion, outcome});
  }
  [[nodiscard]] bool interactive() const { return interactive_.size_ > 0; }
  [[nodiscard]] bool bulk() const { return bulk_.size_ > 0; }
  Entry pop_interactive() { return interactive_.pop(); }
  Entry pop_bulk() { return bulk_.pop(); }

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
  Ring interactive_;
  Ring bulk_;
};

} // namespace culvert
