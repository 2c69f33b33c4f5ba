// A callback bound to a member function: two words, no allocation.
//
// The delegate does not own the object: the object must live longer than the delegate.
#pragma once

#include <utility>

namespace culvert {

template <typename... Arguments> class Delegate {
public:
  Delegate() = default;

  /// Delegate<int>::to<&Owner::on_event>(owner) calls owner.on_event(int).
  template <auto Method, typename Owner> static Delegate to(Owner &owner) {
    Delegate delegate;
    delegate.owner_ = &owner;
    delegate.call_ = [](void *object, Arguments... arguments) {
      (static_cast<Owner *>(object)->*Method)(std::forward<Arguments>(arguments)...);
    };
    return delegate;
  }

  explicit operator bool() const { return call_ != nullptr; }
  void operator()(Arguments... arguments) const {
    call_(owner_, std::forward<Arguments>(arguments)...);
  }

private:
  void *owner_ = nullptr;
  void (*call_)(void *, Arguments...) = nullptr;
};

} // namespace culvert
