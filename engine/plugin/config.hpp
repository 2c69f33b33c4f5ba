// The settings of a unit: the operator's values, checked against the plugin's declarations.
//
// Used on the control thread to make a unit; checked ConfigValues do not change any more and are
// then read from every shard. They own their values; secrets are references into the secret store.
#pragma once

#include "culvert/plugin.h"
#include "culvert/status.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace culvert {

/// A secret by reference, never 0 for one that exists.
struct SecretReference {
  std::uint64_t id = 0;
  bool operator==(const SecretReference &) const = default;
};

/// In the order of enum culvert_config_type.
using ConfigValue =
    std::variant<std::string, std::int64_t, bool, SecretReference, std::vector<std::string>>;
using ConfigValues = std::map<std::string, ConfigValue, std::less<>>;

/// Checks that plugin `id` declares every one of these values, with its type. A failure is one
/// sentence that names the key and what to write, never a value.
Status check_values(std::string_view id, std::span<const culvert_config_key> keys,
                    const ConfigValues &values);
/// The same for a new unit: also checks that no required value is missing, and adds the defaults.
Result<ConfigValues> check_config(std::string_view id, std::span<const culvert_config_key> keys,
                                  ConfigValues values);

/// Converts a default from the entry's text to its type; the Status says what is wrong with it.
Result<ConfigValue> parse_config_text(std::uint32_t type, std::string_view text);

/// Converts each text to the type that its key declares. A text that cannot be converted is left,
/// and check_values() then refuses it.
void read_texts(std::span<const culvert_config_key> keys, ConfigValues &values);

} // namespace culvert
