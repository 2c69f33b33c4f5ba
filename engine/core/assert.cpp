#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace culvert {

void assertion_failed(const char *condition, const char *file, int line) {
  std::fprintf(stderr, "culvert: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

} // namespace culvert
