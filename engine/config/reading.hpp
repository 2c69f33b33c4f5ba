// What the readers of values share: one value that is being read, and the failures about it.
//
// Used by the files setting_*.cpp alone; one thread.
#pragma once

#include "config/setting_values.hpp"

#include <string>
#include <vector>

namespace culvert {

/// One value that is being read.
struct Reading {
  const Setting &setting;
  const Written &written;
  const std::string &subject;
  SecretReader &secrets;

  /// "certificate: " and the rest.
  [[nodiscard]] Status wrong(const std::string &rest) const {
    return Status::config(subject + ": " + rest);
  }
  /// "bind 'x' " and the rest.
  [[nodiscard]] Status wrong(const std::string &text, const std::string &rest) const {
    return Status::config(subject + " " + in_quotes(text) + " " + rest);
  }
};

/// How the setting is written in a file: key = "value".
std::string as_written(const Setting &setting);
Status wrong_type(const Reading &reading, const Written &found);
/// A text that is not empty.
Result<std::string> text_of(const Reading &reading, const Written &written);
/// A list, or one value of it.
Result<std::vector<std::string>> list_of(const Reading &reading);

Result<SettingValue> read_count(const Reading &reading);
Result<SettingValue> read_duration(const Reading &reading);
Result<SettingValue> read_size(const Reading &reading);
Result<SettingValue> read_addresses(const Reading &reading);
Result<SettingValue> read_admin_address(const Reading &reading);
Result<SettingValue> read_target(const Reading &reading);
Result<SettingValue> read_public_address(const Reading &reading);
/// Of the DNS responder.
Result<SettingValue> read_loopbacks(const Reading &reading);
Result<SettingValue> read_name_servers(const Reading &reading);

} // namespace culvert
