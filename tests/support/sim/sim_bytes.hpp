// A queue of bytes with amortized constant cost at both ends: what a simulated kernel buffers.
//
// It owns its bytes and reads and writes them with ordinary code, so that a sanitizer sees it.
// Used on the one thread that drives the world.
#pragma once

#include "core/assert.hpp"

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace culvert {

class SimBytes {
public:
  [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::span<const std::byte> front(std::size_t count) const {
    CULVERT_ASSERT(count <= size());
    return {bytes_.data() + taken_, count};
  }
  void push(std::span<const std::byte> added) {
    bytes_.insert(bytes_.end(), added.begin(), added.end());
  }
  void pop(std::size_t count) {
    CULVERT_ASSERT(count <= size());
    taken_ += count;
    if (taken_ == bytes_.size()) {
      clear();
    } else if (taken_ > bytes_.size() / 2) { // at most one copy of each byte on average
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
  }
  void clear() {
    bytes_.clear();
    taken_ = 0;
  }

private:
  std::vector<std::byte> bytes_;
  std::size_t taken_ = 0;
};

} // namespace culvert
