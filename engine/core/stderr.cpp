#include "core/stderr.hpp"

#include "culvert/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace culvert {

int reopen_stderr() {
  struct stat facts {};
  const bool pipe = ::fstat(STDERR_FILENO, &facts) == 0 && S_ISFIFO(facts.st_mode);
  return pipe || ::isatty(STDERR_FILENO) == 1
             ? ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
             : -1;
}

bool write_stderr_line(std::string_view line, int patience_ms) {
  const int own = reopen_stderr();
  const int out = own >= 0 ? own : STDERR_FILENO;
  pollfd reader{out, POLLOUT, 0};
  const bool written =
      ::poll(&reader, 1, patience_ms) == 1 && ::write(out, line.data(), line.size()) >= 0;
  if (own >= 0) {
    ::close(own);
  }
  return written;
}

} // namespace culvert
