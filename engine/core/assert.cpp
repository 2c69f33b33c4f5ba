#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <unistd.h>

namespace culvert {

void assertion_failed(const char *condition, const char *file, int line) {
  pollfd reader{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&reader, 1, 0) == 1) { // else a reader that has stopped would keep the process
    std::fprintf(stderr, "culvert: broken invariant: %s (%s:%d)\n", condition, file, line);
  }
  std::abort();
}

} // namespace culvert
