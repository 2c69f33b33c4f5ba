// A secret text (a key, a ready token): it cannot be copied or printed, and its bytes are
// overwritten when it is destroyed or assigned. Not bound to a thread. The caller must overwrite
// its own copy of the bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace culvert {

class Secret {
public:
  Secret() = default;
  explicit Secret(std::span<const std::byte> bytes);
  explicit Secret(std::string_view text);
  /// Copies the text and overwrites the original.
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
  /// An explicit copy.
  [[nodiscard]] Secret clone() const { return Secret(bytes()); }

private:
  void wipe();
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// Overwrites the text in a way that no optimizer removes, and empties it.
void cleanse(std::string &text);

} // namespace culvert
