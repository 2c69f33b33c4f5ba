// Random UUIDs as text (RFC 9562, version 4), for ids that both ends may log.
#pragma once

#include "core/random.hpp"

#include <string>

namespace culvert {

/// 36 characters, lower case.
std::string make_uuid(Random &random);

} // namespace culvert
