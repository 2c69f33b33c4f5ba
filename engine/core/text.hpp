// Small rules of text that several layers need. Pure functions; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace culvert {

/// ASCII letters in lower case; every other byte as it is.
constexpr char lower_case(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}
std::string lower_case(std::string_view text);

/// A control character of ASCII, such as one that ends a line.
constexpr bool is_control(char letter) {
  return (letter >= 0 && letter < ' ') || letter == '\x7f';
}

/// The first `most` bytes of UTF-8 text, or fewer if the last character would be cut.
std::string_view cut_utf8(std::string_view text, std::size_t most);

} // namespace culvert
