// Fixed slots with generations: a handle whose object is gone finds nothing, never another object.
//
// The slab owns its objects. Slots are allocated when the slab grows, then reused and never freed.
// There are never more than the given capacity; without one the owner must check size(). Not
// thread-safe: a slab belongs to one shard.
#pragma once

#include "core/assert.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace culvert {

struct SlabHandle {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  bool operator==(const SlabHandle &) const = default;
};

template <typename T> class Slab {
public:
  explicit Slab(std::uint32_t capacity = UINT32_MAX) : capacity_(capacity) {}

  /// Makes an object in a free slot; nothing if all `capacity` slots are in use.
  template <typename... Arguments> std::optional<SlabHandle> make(Arguments &&...arguments) {
    if (free_.empty()) {
      if (slots_.size() == capacity_) {
        return std::nullopt;
      }
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.push_back(std::make_unique<Slot>());
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot &slot = *slots_[index];
    slot.object.emplace(std::forward<Arguments>(arguments)...);
    ++size_;
    return SlabHandle{index, slot.generation};
  }

  /// The object of a handle, or nullptr if it does not exist (any more).
  T *find(SlabHandle handle) {
    if (handle.index >= slots_.size()) {
      return nullptr;
    }
    Slot &slot = *slots_[handle.index];
    return slot.generation == handle.generation && slot.object ? &*slot.object : nullptr;
  }

  void erase(SlabHandle handle) {
    CULVERT_ASSERT(find(handle) != nullptr);
    Slot &slot = *slots_[handle.index];
    slot.object.reset();
    ++slot.generation;
    free_.push_back(handle.index);
    --size_;
  }

  [[nodiscard]] std::uint32_t size() const { return size_; }

  /// Calls visit(handle, object) for each object; the visitor may erase the object that it is
  /// given.
  template <typename Visit> void for_each(Visit visit) {
    for (std::uint32_t index = 0; index < slots_.size(); ++index) {
      if (slots_[index]->object) {
        visit(SlabHandle{index, slots_[index]->generation}, *slots_[index]->object);
      }
    }
  }

private:
  struct Slot {
    std::uint32_t generation = 1;
    std::optional<T> object;
  };
  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::uint32_t> free_;
};

} // namespace culvert
