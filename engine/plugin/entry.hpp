// The entry of a plugin: the plain data at its one exported symbol, checked before any of its
// functions runs, and the functions of a kind.
//
// Pure functions, safe from any thread. The plugin owns its entry; one that passed the check stays
// valid for the life of the process.
#pragma once

#include "culvert/auth.h"
#include "culvert/plugin.h"
#include "culvert/relay.h"
#include "culvert/resolver.h"
#include "culvert/status.hpp"
#include "culvert/transport.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace culvert {

enum class PluginKind : std::uint8_t { kTransport, kRelay, kAuth, kResolver };

/// "culvert.kind.auth/1".
std::string_view kind_id(PluginKind kind);

/// In the order of PluginKind; functions that an older minor version does not have are zero.
using KindFunctions =
    std::variant<culvert_transport, culvert_relay, culvert_auth, culvert_resolver>;

/// Lower-case letters, digits, '_'.
bool valid_plugin_id(std::string_view id);

/// Checks everything about the entry that is visible without running it. `where` names the file in
/// messages; `id` is the requested name.
Status check_entry(const culvert_plugin &entry, std::string_view id, std::string_view where);

/// The functions of a kind. The entry has passed the check; a failure if it has no such kind.
Result<KindFunctions> find_kind(const culvert_plugin &entry, PluginKind kind);

inline std::span<const culvert_config_key> config_keys(const culvert_plugin &entry) {
  return {entry.config_keys, entry.config_key_count};
}

/// The entry as readable text: one "name: value" on each line.
std::string describe_entry(const culvert_plugin &entry);

} // namespace culvert
