#include "culvert/secret.hpp"

#include <cstring>

namespace culvert {

void Secret::wipe() {
  if (!text_.empty()) {
    explicit_bzero(text_.data(), text_.size());
  }
}

Secret &Secret::operator=(const Secret &other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

Secret &Secret::operator=(Secret &&other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
  }
  return *this;
}

} // namespace culvert
