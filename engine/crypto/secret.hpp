// The store in which plugins find secrets by reference.
//
// A SecretStore owns the secrets of one engine: the control thread adds, any thread finds; a secret
// stays where it is as long as the store lives.
#pragma once

#include "culvert/secret.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace culvert {

class SecretStore {
public:
  SecretStore() = default;
  SecretStore(const SecretStore &) = delete;
  SecretStore &operator=(const SecretStore &) = delete;

  /// The reference is never 0 and never given twice by one store.
  std::uint64_t add(Secret secret);
  /// nullptr when there is no such secret.
  [[nodiscard]] const Secret *find(std::uint64_t reference) const;

private:
  mutable std::mutex mutex_; // of set-up and of making tokens, never of the byte path
  std::vector<std::unique_ptr<const Secret>> secrets_;
};

} // namespace culvert
