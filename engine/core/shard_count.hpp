// A sum that one shard adds to and any thread reads.
//
// Only the shard that owns it calls add(), so an addition is a plain load and store without a
// locked instruction, and may be used on the byte path.
#pragma once

#include <atomic>
#include <cstdint>

namespace culvert {

class ShardCount {
public:
  void add(std::uint64_t more) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_release);
  }
  /// A thread that reads an addition also sees everything that its shard had added to other counts
  /// before it.
  [[nodiscard]] std::uint64_t read() const { return value_.load(std::memory_order_acquire); }

private:
  std::atomic<std::uint64_t> value_ = 0;
};

} // namespace culvert
