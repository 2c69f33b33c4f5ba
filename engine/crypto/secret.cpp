#include "crypto/secret.hpp"

#include <algorithm>
#include <openssl/crypto.h>
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
    OPENSSL_cleanse(data_.get(), size_);
  }
}

void cleanse(std::string &text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

std::uint64_t SecretStore::add(Secret secret) {
  auto kept = std::make_unique<const Secret>(std::move(secret));
  const std::lock_guard lock(mutex_);
  secrets_.push_back(std::move(kept));
  return secrets_.size();
}

const Secret *SecretStore::find(std::uint64_t reference) const {
  const std::lock_guard lock(mutex_);
  return reference == 0 || reference > secrets_.size() ? nullptr : secrets_[reference - 1].get();
}

} // namespace culvert
