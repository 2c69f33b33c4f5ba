#include "core/assert.hpp"

#include "culvert/log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace culvert {

void assertion_failed(const char *condition, const char *file, int line) {
  std::array<char, 1024> text{};
  const int size = std::snprintf(text.data(), text.size(),
                                 "culvert: broken invariant: %s (%s:%d)\n", condition, file, line);
  const auto most = static_cast<int>(text.size()) - 1;
  // A stopped reader must not delay the end of the process, so this does not wait.
  write_stderr_line({text.data(), static_cast<std::size_t>(std::clamp(size, 0, most))}, 0);
  std::abort();
}

} // namespace culvert
