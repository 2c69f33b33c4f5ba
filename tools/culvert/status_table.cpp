#include "status_table.hpp"

#include "admin_client.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
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
  return printable({value->as_string().data(), value->as_string().size()});
}

std::int64_t number_of(const json::object &from, const char *key) {
  const json::value *value = from.if_contains(key);
  boost::system::error_code failure;
  return value == nullptr ? 0 : value->to_number<std::int64_t>(failure);
}

/// Those of a list; whatever else is in it has no place in a table.
std::vector<const json::object *> objects_of(const json::object &from, const char *key) {
  std::vector<const json::object *> objects;
  const json::value *value = from.if_contains(key);
  const json::array *list = value == nullptr ? nullptr : value->if_array();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if ((*list)[i].is_object()) {
      objects.push_back(&(*list)[i].as_object());
    }
  }
  return objects;
}

/// Whether it is what a process says of itself: a version, and a list of roles.
bool is_status(const json::value &page) {
  if (!page.is_object()) {
    return false;
  }
  const json::value *roles = page.as_object().if_contains("roles");
  return roles != nullptr && roles->is_array() &&
         std::all_of(roles->as_array().begin(), roles->as_array().end(),
                     [](const json::value &role) { return role.is_object(); }) &&
         !text_of(page.as_object(), "version").empty();
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
  for (const json::object *role : objects_of(page, "roles")) {
    if (number_of(*role, "id") == id) {
      return role;
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
    for (const json::object *role : objects_of(now_, "roles")) {
      add(*role, time);
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
    rows_.push_back({text_of(role, "kind"), text_of(role, "name"), text_of(role, "state"),
                     age(time - number_of(role, "since")), where(role),
                     std::to_string(number_of(role, "tunnels_open")),
                     std::to_string(number_of(role, "tunnels_ended")),
                     std::to_string(number_of(role, "setups_failed")), speed("bytes_in"),
                     speed("bytes_out")});
  }

  /// The way of a connection: "127.0.0.1:1433 -> sql at relay.example:443 (db.internal:1433)" of a
  /// sender with an endpoint, "sql at relay.example:443 -> 10.0.0.1:1433" of a listener.
  static std::string where(const json::object &role) {
    std::string bound = text_of(role, "bound");
    if (text_of(role, "kind") == "relay") {
      return bound;
    }
    const std::string target = text_of(role, "target");
    const std::string endpoint = text_of(role, "endpoint");
    return (bound.empty() ? "" : bound + " -> ") + text_of(role, "entity") + " at " +
           text_of(role, "relay") + (target.empty() ? "" : " -> " + target) +
           (endpoint.empty() ? "" : " (" + endpoint + ")");
  }

  [[nodiscard]] std::string entities() const {
    std::vector<Row> rows{{"RELAY", "ENTITY", "LISTENERS", "TUNNELS", "WAITING"}};
    for (const json::object *role : objects_of(now_, "roles")) {
      for (const json::object *entity : objects_of(*role, "entities")) {
        rows.push_back({text_of(*role, "name"), text_of(*entity, "path"),
                        std::to_string(number_of(*entity, "listeners")),
                        std::to_string(number_of(*entity, "tunnels")),
                        std::to_string(number_of(*entity, "pending"))});
      }
    }
    return rows.size() == 1 ? "" : "\n" + lines_of(rows);
  }

  [[nodiscard]] std::string failures() const {
    std::string text;
    for (const json::object *role : objects_of(now_, "roles")) {
      const std::string failure = text_of(*role, "last_failure");
      if (!failure.empty()) {
        text += text_of(*role, "kind") + " " + text_of(*role, "name") +
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

Result<std::string> status_table(const std::string &now, const std::string &before,
                                 double seconds) {
  boost::system::error_code failure;
  const json::value page = json::parse(now, failure);
  const json::value earlier = json::parse(before, failure);
  if (!is_status(page) || !is_status(earlier)) {
    return Status::machine("what answers is no admin endpoint of Culvert: its page has no list of "
                           "roles; set --admin to bind of the process's [admin]");
  }
  return Table(page.as_object(), earlier.as_object(), seconds).text();
}

} // namespace culvert::command
