#include "crypto/secret.hpp"

namespace culvert {

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
