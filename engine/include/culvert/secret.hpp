// A secret text (a key, a ready token) that is wiped when it goes; nothing prints it.
#pragma once

#include <string_view>
#include <vector>

namespace culvert {

class Secret {
public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(text.begin(), text.end()) {}
  Secret(const Secret &) = default;
  Secret &operator=(const Secret &other);
  Secret(Secret &&) noexcept = default; // a vector's move takes the bytes along, leaving no copy
  Secret &operator=(Secret &&other) noexcept;
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// Valid as long as this object is neither assigned nor gone.
  [[nodiscard]] std::string_view reveal() const { return {text_.data(), text_.size()}; }

private:
  void wipe();
  std::vector<char> text_;
};

} // namespace culvert
