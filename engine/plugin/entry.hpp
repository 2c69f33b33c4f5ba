// What a plugin says about itself: the plain data behind its one symbol, checked before any of its
// functions runs, and the functions of a kind.
//
// Pure; an entry that passed lasts for ever and is read from any thread.
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

/// In the order of PluginKind; what an older minor does not have is zero.
using KindFunctions =
    std::variant<culvert_transport, culvert_relay, culvert_auth, culvert_resolver>;

/// Lower-case letters, digits, '_'.
bool valid_plugin_id(std::string_view id);

/// Everything about the entry that can be known without running it. `where` is the file, or what
/// else to call it; `id` the name it was asked for by.
Status check_entry(const culvert_plugin &entry, std::string_view id, std::string_view where);

/// Of an entry that passed the check; a failure when it has no such kind.
Result<KindFunctions> find_kind(const culvert_plugin &entry, PluginKind kind);

inline std::span<const culvert_config_key> config_keys(const culvert_plugin &entry) {
  return {entry.config_keys, entry.config_key_count};
}

/// The entry as text for people: one "name: value" a line.
std::string describe_entry(const culvert_plugin &entry);

} // namespace culvert
