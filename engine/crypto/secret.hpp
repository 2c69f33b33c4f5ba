// The store in which plugins find secrets by reference.
//
// A SecretStore keeps the secrets of one engine; any thread adds, finds and forgets. A secret that
// was forgotten is wiped as soon as nobody who found it uses it any more. A SecretLease holds what
// one configuration added and forgets it when the lease dies; the store outlives its leases.
#pragma once

#include "culvert/secret.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace culvert {

class SecretStore {
public:
  SecretStore() = default;
  SecretStore(const SecretStore &) = delete;
  SecretStore &operator=(const SecretStore &) = delete;

  /// The reference is never 0 and never given twice by one store.
  std::uint64_t add(Secret secret);
  /// nullptr when there is no such secret, or not any more.
  [[nodiscard]] std::shared_ptr<const Secret> find(std::uint64_t reference) const;
  void forget(std::uint64_t reference);
  [[nodiscard]] std::size_t size() const;

private:
  mutable std::mutex mutex_; // of set-up and of making tokens, never of the byte path
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<const Secret>> secrets_;
};

class SecretLease {
public:
  explicit SecretLease(SecretStore &store) : store_(store) {}
  SecretLease(const SecretLease &) = delete;
  SecretLease &operator=(const SecretLease &) = delete;
  ~SecretLease();

  std::uint64_t add(Secret secret);

private:
  SecretStore &store_;
  std::vector<std::uint64_t> references_;
};

} // namespace culvert
