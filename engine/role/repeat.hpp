// The pause before a set-up or a fetch is repeated.
#pragma once

#include "core/random.hpp"

#include <cstdint>

namespace culvert {

/// A random time between half and all of the pause, so that those that were refused together do not
/// come together again. It is 0 only if the pause is.
inline std::uint64_t part_of_pause_ms(std::uint64_t pause_ms, Random &random) {
  return pause_ms - pause_ms / 2 + random.below(pause_ms / 2 + 1);
}

} // namespace culvert
