#include "text.hpp"

namespace azure {
namespace {

/// How many bytes the UTF-8 sequence that starts at `at` has; 0 when it is not one.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) {
    return 0;
  }
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const unsigned char second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

} // namespace

std::string form_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = culvert::sdk::escaped_byte(text, i);
    if (byte >= 0) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

std::string path_encode(std::string_view path) {
  return percent_encode(path, "/!$&'()*+,;=:@");
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      return false;
    }
    i += length;
  }
  return true;
}

bool is_target_text(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F) {
      return false;
    }
  }
  return true;
}

std::string clean(std::string_view text, std::size_t most) {
  std::string result;
  for (const char c : text) {
    if (result.size() == most) {
      break;
    }
    if (c >= 0x20 && c < 0x7F) {
      result += c;
    }
  }
  return result;
}

std::string authority(std::string_view host, unsigned port) {
  std::string result(host);
  if (host.find(':') != std::string_view::npos && host.front() != '[') {
    result = "[" + result + "]";
  }
  return port == 443 ? result : result + ":" + std::to_string(port);
}

std::string_view host_of(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    return authority.substr(1, authority.find(']') - 1);
  }
  return authority.substr(0, authority.find(':'));
}

} // namespace azure
