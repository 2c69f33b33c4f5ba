// Reads the value of one setting, as a file or a flag has it.
//
// One thread, because a secret is read by a SecretReader.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace culvert {

/// `subject` names the setting in the failure: "certificate", or "--certificate".
Result<SettingValue> read_value(const Setting &setting, const Written &written,
                                const std::string &subject, SecretReader &secrets);

/// The form of a value behind a flag: "HOST:PORT"; empty: it takes none.
std::string form_of(const Setting &setting);
/// "1 to 64", "0s to 24h", "one of text, json"; empty where there is no range.
std::string range_of(const Setting &setting);
/// As a file has them: "10s", "256 MiB".
std::string duration_text(std::uint64_t milliseconds);
std::string size_text(std::uint64_t bytes);

} // namespace culvert
