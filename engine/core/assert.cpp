#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace culvert {

void assertion_failed(const char *condition, const char *file, int line) {
  // A stopped reader must not keep the process alive. A terminal can block although it polls
  // writable, so it is opened again without blocking.
  const int terminal = ::isatty(STDERR_FILENO) == 1
                           ? ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                           : -1;
  pollfd reader{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&reader, 1, 0) == 1) {
    ::dprintf(terminal >= 0 ? terminal : STDERR_FILENO, "culvert: broken invariant: %s (%s:%d)\n",
              condition, file, line);
  }
  std::abort();
}

} // namespace culvert
