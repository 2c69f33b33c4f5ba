#include "crypto/secret.hpp"

namespace culvert {

std::uint64_t SecretStore::add(Secret secret) {
  auto kept = std::make_shared<const Secret>(std::move(secret));
  const std::lock_guard lock(mutex_);
  secrets_.emplace(++last_, std::move(kept));
  return last_;
}

std::shared_ptr<const Secret> SecretStore::find(std::uint64_t reference) const {
  const std::lock_guard lock(mutex_);
  const auto found = secrets_.find(reference);
  return found == secrets_.end() ? nullptr : found->second;
}

void SecretStore::forget(std::uint64_t reference) {
  const std::lock_guard lock(mutex_);
  secrets_.erase(reference);
}

std::size_t SecretStore::size() const {
  const std::lock_guard lock(mutex_);
  return secrets_.size();
}

std::uint64_t SecretLease::add(Secret secret) {
  references_.push_back(store_.add(std::move(secret)));
  return references_.back();
}

SecretLease::~SecretLease() {
  for (const std::uint64_t reference : references_) {
    store_.forget(reference);
  }
}

} // namespace culvert
