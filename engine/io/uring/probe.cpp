#include "io/uring/probe.hpp"

#include "core/limits.hpp"
#include "io/advice.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace culvert::uring {
namespace {

constexpr unsigned kSetupFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                                 IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;

struct Operation {
  int code;
  const char *name;
};
constexpr std::array<Operation, 4> kOperations{{{IORING_OP_ACCEPT, "accept"},
                                                {IORING_OP_CONNECT, "connect"},
                                                {IORING_OP_POLL_ADD, "poll"},
                                                {IORING_OP_ASYNC_CANCEL, "cancel"}}};

struct Needed {
  unsigned bit;
  const char *name;
};
constexpr std::array<Needed, 3> kNeeded{{{IORING_FEAT_EXT_ARG, "timed wait"},
                                         {IORING_FEAT_NODROP, "no dropped completions"},
                                         {IORING_FEAT_SUBMIT_STABLE, "stable submissions"}}};

int disabled_setting() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = -1;
  return file >> value ? value : -1;
}

Status failure(Code code, int error, std::string message) {
  Status status = Status::failure(code, Source::kLocal, Retry::kNever, std::move(message));
  status.os_error = error;
  return status;
}

Status too_old(const std::string &what) {
  return failure(Code::kUnsupported, EINVAL,
                 "io_uring of this kernel has no " + what +
                     ": Linux 6.1 or newer is needed; upgrade the kernel");
}

void say(Log &log, const char *name, bool present) {
  if (log.enabled(LogLevel::kDebug)) {
    log.write(LogLevel::kDebug, "io_uring feature",
              {{"feature", name}, {"state", present ? "used" : "absent"}});
  }
}

/// Empty when every operation is there.
std::string missing_operation(io_uring &ring, Log &log) {
  io_uring_probe *probe = io_uring_get_probe_ring(&ring);
  std::string missing;
  for (const Operation &operation : kOperations) {
    const bool present = probe != nullptr && io_uring_opcode_supported(probe, operation.code) != 0;
    say(log, operation.name, present);
    if (!present) {
      missing = operation.name;
    }
  }
  io_uring_free_probe(probe);
  return missing;
}

} // namespace

Status no_ring(int error, int disabled) {
  switch (error) {
  case EPERM:
  case EACCES:
    if (disabled > 0) {
      return failure(Code::kUnsupported, error,
                     "io_uring is forbidden: sysctl kernel.io_uring_disabled is " +
                         std::to_string(disabled) +
                         "; set it to 0 (sysctl -w kernel.io_uring_disabled=0)");
    }
    return failure(
        Code::kUnsupported, error,
        "io_uring is forbidden, most likely by the seccomp profile of a container; allow "
        "io_uring_setup, io_uring_enter and io_uring_register in it");
  case ENOSYS:
    return failure(Code::kUnsupported, error,
                   "this kernel has no io_uring, or a seccomp profile hides it; use Linux 6.1 or "
                   "newer with CONFIG_IO_URING");
  case EINVAL:
    return too_old("SINGLE_ISSUER and DEFER_TASKRUN");
  case ENOMEM:
    return failure(Code::kNoMemory, error,
                   "no memory for an io_uring; raise the limit of locked memory (ulimit -l)");
  case EMFILE:
  case ENFILE:
    return failure(Code::kNoDescriptor, error,
                   std::string("no descriptor for an io_uring; ") + kOpenFilesAdvice);
  default:
    return failure(Code::kInternal, error,
                   std::string("cannot make an io_uring: ") + std::strerror(error));
  }
}

Status make_ring(io_uring &ring, Log &log) {
  io_uring_params parameters{};
  parameters.flags = kSetupFlags;
  parameters.cq_entries = kCompletionEntries;
  const int made = io_uring_queue_init_params(kSubmissionEntries, &ring, &parameters);
  if (made < 0) {
    return no_ring(-made, disabled_setting());
  }
  std::string missing = missing_operation(ring, log);
  for (const Needed &needed : kNeeded) {
    const bool present = (parameters.features & needed.bit) != 0;
    say(log, needed.name, present);
    if (!present) {
      missing = needed.name;
    }
  }
  if (!missing.empty()) {
    io_uring_queue_exit(&ring);
    return too_old(missing);
  }
  unsigned workers[2] = {kRingWorkers, kRingWorkers};
  say(log, "bounded workers", io_uring_register_iowq_max_workers(&ring, workers) == 0);
  return {};
}

} // namespace culvert::uring
