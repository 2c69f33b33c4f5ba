// What may name an entity, whoever writes it: Azure's letters, bound and borders.
//
// A pure function; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace culvert {

/// What to write instead, never the path itself; "" when it can name an entity.
std::string entity_path_remedy(std::string_view path);

} // namespace culvert
