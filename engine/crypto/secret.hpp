// Key bytes that leave no trace, and the store in which plugins find them by reference.
//
// A Secret owns its bytes, cannot be copied or printed, and cleanses them when it dies or is moved
// from. A SecretStore owns the secrets of one engine: the control thread adds, any thread finds; a
// secret stays where it is as long as the store lives. Whoever passes bytes in cleanses his own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

class Secret {
public:
  Secret() = default;
  explicit Secret(std::span<const std::byte> bytes);
  explicit Secret(std::string_view text);
  /// Takes the text over and cleanses the place it came from.
  static Secret take(std::string &text);
  Secret(const Secret &) = delete;
  Secret &operator=(const Secret &) = delete;
  Secret(Secret &&other) noexcept;
  Secret &operator=(Secret &&other) noexcept;
  ~Secret();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  /// The bytes as text, for a parser; never for a message.
  [[nodiscard]] std::string_view reveal() const {
    return {reinterpret_cast<const char *>(data_.get()), size_};
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// An intended copy.
  [[nodiscard]] Secret clone() const { return Secret(bytes()); }

private:
  void wipe();
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// Overwrites the text in a way no optimizer removes, and empties it.
void cleanse(std::string &text);

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
