#include "culvert/secret.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace culvert {

Secret::Secret(std::span<const std::byte> bytes)
    : data_(std::make_unique_for_overwrite<std::byte[]>(bytes.size())), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), data_.get());
}

Secret::Secret(std::string_view text)
    : Secret(std::as_bytes(std::span(text.data(), text.size()))) {}

Secret Secret::take(std::string &text) {
  Secret secret{std::string_view(text)};
  cleanse(text);
  return secret;
}

Secret::Secret(Secret &&other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

Secret &Secret::operator=(Secret &&other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() {
  if (data_ != nullptr) {
    explicit_bzero(data_.get(), size_);
  }
}

void cleanse(std::string &text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

} // namespace culvert
