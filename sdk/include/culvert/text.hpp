// What plugins in C++ do with text: comparison that ignores ASCII case, percent encoding, and the
// time as text.
//
// Pure functions; views into an argument live as long as it does. helpers.h has the same comparison
// for plugins in C.
#pragma once

#include "culvert/helpers.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace culvert::sdk {

/// ASCII letters in lower case; every other byte as it is.
inline std::string lower(std::string_view text) {
  std::string result(text);
  for (char &letter : result) {
    letter = culvert_lower(letter);
  }
  return result;
}

inline bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         culvert_view_same_word({text.data(), prefix.size()}, {prefix.data(), prefix.size()}) != 0;
}
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_ignoring_case(a, b);
}

/// What the text begins with, up to the first character that no host or entity has. That much of a
/// peer's text can go into a log: a client may have put its token there by mistake.
inline std::string_view plain_beginning(std::string_view text) {
  return text.substr(0, text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"
                                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ._~/:-"));
}

/// The byte that %XX at `at` stands for, or -1.
inline int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') {
    return -1;
  }
  int value = 0;
  for (const char digit : text.substr(at + 1, 2)) {
    const char small = culvert_lower(digit);
    if (small >= '0' && small <= '9') {
      value = value * 16 + (small - '0');
    } else if (small >= 'a' && small <= 'f') {
      value = value * 16 + (small - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

/// Nothing where a '%' is not followed by two hex digits.
inline std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int byte = escaped_byte(text, i);
    if (byte < 0) {
      return std::nullopt;
    }
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

/// Everything but the unreserved characters of RFC 3986 and those of `also_bare` becomes %XX.
inline std::string percent_encode(std::string_view text, std::string_view also_bare = {}) {
  constexpr char kHex[] = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char letter : text) {
    if (kUnreserved.find(letter) != std::string_view::npos ||
        also_bare.find(letter) != std::string_view::npos) {
      result += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      result += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return result;
}

/// Unix seconds in UTC, as in "2026-01-31T23:59:59"; the bare number from the year 10000 on.
inline std::string utc_time(std::int64_t unix_seconds) {
  using namespace std::chrono;
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  if (unix_seconds >= kYear10000) {
    return std::to_string(unix_seconds);
  }
  const sys_seconds time{seconds{unix_seconds}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

} // namespace culvert::sdk
