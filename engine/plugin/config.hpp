// The settings of a unit: what the operator wrote, checked against what the plugin declares.
//
// Used on the control thread to make a unit; a checked UnitConfig does not change any more and is
// then read from every shard. It owns its values; secrets are references into the secret store.
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

/// Whether plugin `id` declares every one of these values, with its type. A failure is one sentence
/// that names the key and what to write, never a value.
Status check_values(std::string_view id, std::span<const culvert_config_key> keys,
                    const ConfigValues &values);
/// The same for a unit that is to be made: nothing required is missing, and the defaults are added.
Result<ConfigValues> check_config(std::string_view id, std::span<const culvert_config_key> keys,
                                  ConfigValues values);

/// A default as the entry writes it, as a value of the type; the Status says what is wrong with it.
Result<ConfigValue> parse_config_text(std::uint32_t type, std::string_view text);

/// Turns each text into a value of the type that its key declares; one that cannot be read so stays
/// a text, which check_values() then refuses.
void read_texts(std::span<const culvert_config_key> keys, ConfigValues &values);

} // namespace culvert
