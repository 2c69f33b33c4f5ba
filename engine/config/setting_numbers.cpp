// Counts, durations and sizes with their units.

#include "config/reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sched.h>

namespace culvert {
namespace {

struct Unit {
  std::string_view word;
  std::uint64_t size;
};
constexpr std::array kTimes{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"min", 60'000},
                            Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kSizes{Unit{"B", 1}, Unit{"KiB", 1ULL << 10U}, Unit{"MiB", 1ULL << 20U},
                            Unit{"GiB", 1ULL << 30U}, Unit{"TiB", 1ULL << 40U}};

template <typename Units>
std::string in_largest_unit(std::uint64_t value, const Units &units, std::string_view between) {
  const Unit *largest = &units.front();
  for (const Unit &unit : units) {
    if (value != 0 && value % unit.size == 0) {
      largest = &unit;
    }
  }
  return std::to_string(value / largest->size) + std::string(between) + std::string(largest->word);
}

Status not_a(const Reading &reading, const std::string &text) {
  const SettingKind kind = reading.setting.kind;
  if (kind == SettingKind::kShards) {
    return reading.wrong(in_quotes(text) + " is not " + range_of(reading.setting) +
                         "; write a number or auto");
  }
  const bool time = kind == SettingKind::kDuration;
  const std::string units = time ? " and ms, s, min, h or d" : " and B, KiB, MiB, GiB or TiB";
  return reading.wrong(
      in_quotes(text) + " is not " + range_of(reading.setting) +
      (kind == SettingKind::kCount
           ? "; write a number"
           : "; write a number" + units + ", for example " + reading.setting.standard));
}

Result<SettingValue> in_range(const Reading &reading, std::uint64_t number,
                              const std::string &text) {
  if (number < reading.setting.least || number > reading.setting.most) {
    return not_a(reading, text);
  }
  SettingValue value;
  value.number = number;
  return value;
}

template <typename Units>
Result<SettingValue> read_with_unit(const Reading &reading, const Units &units) {
  if (const auto *number = std::get_if<std::int64_t>(&reading.written.value)) {
    return reading.wrong("the number " + std::to_string(*number) + " has no unit; write " +
                         as_written(reading.setting));
  }
  const Result<std::string> read = text_of(reading, reading.written);
  if (!read.ok()) {
    return read.status();
  }
  const std::string &text = read.value();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view word(end, static_cast<std::size_t>(text.data() + text.size() - end));
  word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [word](const Unit &each) { return each.word == word; });
  if (error != std::errc() || unit == units.end()) {
    return not_a(reading, text);
  }
  const bool too_large = number > UINT64_MAX / unit->size;
  return in_range(reading, too_large ? UINT64_MAX : number * unit->size, text);
}

} // namespace

Result<SettingValue> read_count(const Reading &reading) {
  if (const auto *number = std::get_if<std::int64_t>(&reading.written.value)) {
    return in_range(reading, *number < 0 ? UINT64_MAX : static_cast<std::uint64_t>(*number),
                    std::to_string(*number));
  }
  const std::string *text = reading.written.text();
  if (text == nullptr ||
      (!reading.written.of_flag && reading.setting.kind == SettingKind::kCount)) {
    return wrong_type(reading, reading.written);
  }
  if (reading.setting.kind == SettingKind::kShards && *text == "auto") {
    cpu_set_t set;
    CPU_ZERO(&set);
    const bool known = sched_getaffinity(0, sizeof set, &set) == 0;
    SettingValue value;
    value.number = known ? std::min<std::uint64_t>(static_cast<unsigned>(CPU_COUNT(&set)),
                                                   reading.setting.most)
                         : 1;
    return value;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) {
    return not_a(reading, *text);
  }
  return in_range(reading, number, *text);
}

Result<SettingValue> read_duration(const Reading &reading) {
  return read_with_unit(reading, kTimes);
}

Result<SettingValue> read_size(const Reading &reading) {
  return read_with_unit(reading, kSizes);
}

std::string duration_text(std::uint64_t milliseconds) {
  if (milliseconds == 0) {
    return "0s";
  }
  return in_largest_unit(milliseconds, kTimes, "");
}

std::string size_text(std::uint64_t bytes) {
  return in_largest_unit(bytes, kSizes, " ");
}

std::string range_of(const Setting &setting) {
  switch (setting.kind) {
  case SettingKind::kCount:
  case SettingKind::kShards:
    return std::to_string(setting.least) + " to " + std::to_string(setting.most);
  case SettingKind::kDuration:
    return duration_text(setting.least) + " to " + duration_text(setting.most);
  case SettingKind::kSize:
    return size_text(setting.least) + " to " + size_text(setting.most);
  case SettingKind::kChoice:
    return one_of(setting.words);
  default:
    return "";
  }
}

} // namespace culvert
