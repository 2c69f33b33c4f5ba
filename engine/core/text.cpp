#include "core/text.hpp"

namespace culvert {

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char &letter : result) {
    letter = lower_case(letter);
  }
  return result;
}

std::string_view cut_utf8(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return text;
  }
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) {
    --most;
  }
  return text.substr(0, most);
}

} // namespace culvert
