#include "link/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace culvert {
namespace {

constexpr std::array<const char *, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// All of the text as a number.
std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

} // namespace

std::string http_date(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds{unix_seconds}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1].data(),
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::optional<std::int64_t> read_http_date(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view kShape = "___, __ ___ ____ __:__:__ GMT"; // '_': any character
  const auto fits = [](char shape, char given) { return shape == '_' || shape == given; };
  if (!std::equal(kShape.begin(), kShape.end(), text.begin(), text.end(), fits)) {
    return std::nullopt;
  }
  const auto day_of_month = number(text.substr(5, 2));
  const auto *const month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto year_number = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (!day_of_month || month == kMonths.end() || !year_number || !hour || !minute || !second ||
      *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const year_month_day date{year{static_cast<int>(*year_number)},
                            std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
                            day{*day_of_month}};
  if (!date.ok()) {
    return std::nullopt;
  }
  const auto time = sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second};
  return duration_cast<seconds>(time.time_since_epoch()).count();
}

} // namespace culvert
