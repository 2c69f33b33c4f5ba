// Intrusive doubly linked list: membership without allocation.
//
// The list owns nothing. An element derives from ListHook<Tag> once for every list it can be on,
// and must leave the list before it is destroyed (asserted). Not thread-safe: a list belongs to one
// shard.
#pragma once

#include "core/assert.hpp"

namespace culvert {

template <typename Tag> class ListHook {
public:
  ListHook() = default;
  ListHook(const ListHook &) = delete;
  ListHook &operator=(const ListHook &) = delete;
  ~ListHook() { CULVERT_ASSERT(!linked()); }

  [[nodiscard]] bool linked() const { return next_ != nullptr; }
  /// Leaves the list it is on; nothing happens when it is on none.
  void unlink() {
    if (!linked()) {
      return;
    }
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

private:
  template <typename T, typename ListTag> friend class List;
  ListHook *previous_ = nullptr;
  ListHook *next_ = nullptr;
};

/// T derives from ListHook<Tag>.
template <typename T, typename Tag> class List {
  using Hook = ListHook<Tag>;

public:
  List() { head_.previous_ = head_.next_ = &head_; }
  List(const List &) = delete;
  List &operator=(const List &) = delete;
  ~List() {
    CULVERT_ASSERT(empty());
    head_.previous_ = head_.next_ = nullptr;
  }

  [[nodiscard]] bool empty() const { return head_.next_ == &head_; }
  [[nodiscard]] T *front() { return empty() ? nullptr : static_cast<T *>(head_.next_); }
  /// The element after `element`, or nullptr at the end.
  [[nodiscard]] T *after(T &element) {
    Hook *next = static_cast<Hook &>(element).next_;
    return next == &head_ ? nullptr : static_cast<T *>(next);
  }
  void push_back(T &element) {
    Hook &hook = element;
    CULVERT_ASSERT(!hook.linked());
    hook.previous_ = head_.previous_;
    hook.next_ = &head_;
    head_.previous_->next_ = &hook;
    head_.previous_ = &hook;
  }
  T *pop_front() {
    T *element = front();
    if (element != nullptr) {
      static_cast<Hook &>(*element).unlink();
    }
    return element;
  }
  /// Appends all elements of `other`, in their order.
  void take_all(List &other) {
    while (T *element = other.pop_front()) {
      push_back(*element);
    }
  }

private:
  Hook head_;
};

} // namespace culvert
