// The store in which plugins find secrets by reference.
//
// A SecretStore keeps the secrets of one engine; any thread adds, finds and forgets. A secret that
// was forgotten is wiped when the last pointer from find() is released. A SecretLease lists the
// secrets that one configuration added, and forgets them when it is destroyed. The store must live
// longer than its leases.
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

  /// Returns the reference. It is never 0, and a store never returns the same one twice.
  std::uint64_t add(Secret secret);
  /// nullptr if there is no such secret, or if it was forgotten.
  [[nodiscard]] std::shared_ptr<const Secret> find(std::uint64_t reference) const;
  void forget(std::uint64_t reference);
  [[nodiscard]] std::size_t size() const;

private:
  mutable std::mutex mutex_; // used at set-up and for tokens, never on the byte path
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
