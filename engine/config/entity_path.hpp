// The rules for an entity's path, the same as Azure's: allowed characters, length, first and last
// character.
//
// A pure function; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

/// Says what to write instead, without the path itself; "" if the path is allowed.
std::string entity_path_remedy(std::string_view path);

} // namespace culvert
