#include "link/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace culvert {
namespace {

constexpr std::array<const char *, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

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
  constexpr std::size_t kLength = 29;
  unsigned day = 0;
  std::array<char, 4> name{};
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const std::string copy(text);
  if (copy.size() != kLength || !copy.ends_with(" GMT") ||
      std::sscanf(copy.c_str(), "%*3s, %2u %3s %4d %2d:%2d:%2d", &day, name.data(), &year, &hour,
                  &minute, &second) != 6) {
    return std::nullopt;
  }
  const auto *const month =
      std::find(kMonths.begin(), kMonths.end(), std::string_view(name.data()));
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
                            std::chrono::day{day}};
  if (month == kMonths.end() || !date.ok() || hour > 23 || minute > 59 || second > 60 || hour < 0 ||
      minute < 0 || second < 0) {
    return std::nullopt;
  }
  const auto time = sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
  return duration_cast<seconds>(time.time_since_epoch()).count();
}

} // namespace culvert
