// How often each code occurred. Any thread adds and reads; not for the byte path, because an
// addition is a locked instruction.
#pragma once

#include "culvert/status.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace culvert {

class CountsByCode {
public:
  void add(Code code) {
    counts_[std::min(static_cast<std::size_t>(code), kUnknown)].fetch_add(
        1, std::memory_order_relaxed);
  }
  /// By word(Code); only codes that occurred.
  [[nodiscard]] std::map<std::string, std::uint64_t> all() const {
    std::map<std::string, std::uint64_t> found;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (const std::uint64_t count = counts_[i].load(std::memory_order_relaxed); count > 0) {
        found[std::string(word(static_cast<Code>(i)))] = count;
      }
    }
    return found;
  }

private:
  static constexpr std::size_t kUnknown = static_cast<std::size_t>(Code::kNoneAllowed) + 1;
  std::array<std::atomic<std::uint64_t>, kUnknown + 1> counts_{};
};

} // namespace culvert
