#include "status_table.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace culvert::command {
namespace {

namespace json = boost::json;
using Row = std::vector<std::string>;

std::string text_of(const json::object &from, const char *key) {
  const json::value *value = from.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return "";
  }
  std::string text(value->as_string().data(), value->as_string().size());
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return text;
}

std::int64_t number_of(const json::object &from, const char *key) {
  const json::value *value = from.if_contains(key);
  boost::system::error_code failure;
  return value == nullptr ? 0 : value->to_number<std::int64_t>(failure);
}

const json::array &list_of(const json::object &from, const char *key) {
  static const json::array none;
  const json::value *value = from.if_contains(key);
  return value == nullptr || !value->is_array() ? none : value->as_array();
}

/// Its two largest units.
std::string age(std::int64_t seconds) {
  struct Unit {
    std::int64_t seconds;
    const char *name;
  };
  constexpr Unit kUnits[] = {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
  std::string text;
  for (const Unit &unit : kUnits) {
    const std::int64_t count = seconds / unit.seconds;
    if (count > 0) {
      const bool second = !text.empty();
      text += (second ? " " : "") + std::to_string(count) + unit.name;
      seconds %= unit.seconds;
      if (second) {
        break;
      }
    }
  }
  return text.empty() ? "0 s" : text;
}

std::string rate(double bytes_per_second) {
  constexpr const char *kUnits[] = {"B/s", "KiB/s", "MiB/s", "GiB/s"};
  std::size_t unit = 0;
  while (bytes_per_second >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes_per_second /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes_per_second,
                kUnits[unit]);
  return text.data();
}

/// Columns as wide as their widest cell.
std::string lines_of(const std::vector<Row> &rows) {
  std::vector<std::size_t> widths;
  for (const Row &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const Row &row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

const json::object *same_role(const json::object &page, std::int64_t id) {
  for (const json::value &role : list_of(page, "roles")) {
    if (role.is_object() && number_of(role.as_object(), "id") == id) {
      return &role.as_object();
    }
  }
  return nullptr;
}

class Table {
public:
  Table(const json::object &now, const json::object &before, double seconds)
      : now_(now), before_(before), seconds_(seconds) {}

  std::string text() {
    const std::int64_t time = number_of(now_, "time");
    const std::string why = text_of(now_, "not_ready");
    std::string head = "culvert " + text_of(now_, "version") + ", " + text_of(now_, "backend") +
                       ", for " + age(time - number_of(now_, "started")) + ": " +
                       (why.empty() ? "ready" : "not ready: " + why) + "\n\n";
    rows_ = {{"ROLE", "NAME", "STATE", "FOR", "WHERE", "TUNNELS", "ENDED", "FAILED", "IN", "OUT"}};
    for (const json::value &role : list_of(now_, "roles")) {
      if (role.is_object()) {
        add(role.as_object(), time);
      }
    }
    return head + lines_of(rows_) + entities() + failures();
  }

private:
  void add(const json::object &role, std::int64_t time) {
    const json::object *const before = same_role(before_, number_of(role, "id"));
    const auto speed = [&](const char *key) {
      const std::int64_t moved =
          before == nullptr ? 0 : number_of(role, key) - number_of(*before, key);
      return seconds_ <= 0 ? "-" : rate(static_cast<double>(moved) / seconds_);
    };
    const std::string bound = text_of(role, "bound");
    const std::string at_relay = text_of(role, "entity") + " at " + text_of(role, "relay");
    rows_.push_back({text_of(role, "kind"), text_of(role, "name"), text_of(role, "state"),
                     age(time - number_of(role, "since")),
                     text_of(role, "kind") == "relay" ? bound
                     : bound.empty()                  ? at_relay
                                                      : bound + " -> " + at_relay,
                     std::to_string(number_of(role, "tunnels_open")),
                     std::to_string(number_of(role, "tunnels_ended")),
                     std::to_string(number_of(role, "setups_failed")), speed("bytes_in"),
                     speed("bytes_out")});
  }

  [[nodiscard]] std::string entities() const {
    std::vector<Row> rows{{"RELAY", "ENTITY", "LISTENERS", "TUNNELS", "WAITING"}};
    for (const json::value &role : list_of(now_, "roles")) {
      for (const json::value &each : list_of(role.as_object(), "entities")) {
        const json::object &entity = each.as_object();
        rows.push_back({text_of(role.as_object(), "name"), text_of(entity, "path"),
                        std::to_string(number_of(entity, "listeners")),
                        std::to_string(number_of(entity, "tunnels")),
                        std::to_string(number_of(entity, "pending"))});
      }
    }
    return rows.size() == 1 ? "" : "\n" + lines_of(rows);
  }

  [[nodiscard]] std::string failures() const {
    std::string text;
    for (const json::value &each : list_of(now_, "roles")) {
      const json::object &role = each.as_object();
      const std::string failure = text_of(role, "last_failure");
      if (!failure.empty()) {
        text += text_of(role, "kind") + " " + text_of(role, "name") +
                ": the last failure: " + failure + "\n";
      }
    }
    return text.empty() ? "" : "\n" + text;
  }

  const json::object &now_;
  const json::object &before_;
  const double seconds_;
  std::vector<Row> rows_;
};

} // namespace

std::string status_table(const std::string &now, const std::string &before, double seconds) {
  boost::system::error_code failure;
  const json::value page = json::parse(now, failure);
  const json::value earlier = json::parse(before, failure);
  if (!page.is_object() || !earlier.is_object()) {
    return "the admin endpoint did not answer with a status\n";
  }
  return Table(page.as_object(), earlier.as_object(), seconds).text();
}

} // namespace culvert::command
