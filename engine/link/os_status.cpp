#include "link/os_status.hpp"

#include "io/advice.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace culvert {
namespace {

Code code_of(int error) {
  switch (error) {
  case ECANCELED:
    return Code::kCancelled;
  case ETIMEDOUT:
    return Code::kTimeout;
  case ECONNREFUSED:
  case ENOENT: // a unix socket's path
    return Code::kRefused;
  case ENETUNREACH:
  case EHOSTUNREACH:
  case EADDRNOTAVAIL:
    return Code::kUnreachable;
  case ECONNRESET:
  case ECONNABORTED:
  case EPIPE:
  case ENOTCONN:
    return Code::kReset;
  case ENOMEM:
  case ENOBUFS:
    return Code::kNoMemory;
  case EMFILE:
  case ENFILE:
    return Code::kNoDescriptor;
  default:
    return Code::kInternal;
  }
}

} // namespace

Status os_status(int error, std::string_view what) {
  const Retry retry = error == ECANCELED ? Retry::kNever : Retry::kBackoff;
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(error);
  if (error == EMFILE) {
    message += std::string("; ") + kOpenFilesAdvice;
  }
  Status status = Status::failure(code_of(error), Source::kLocal, retry, std::move(message));
  status.os_error = error;
  return status;
}

bool lacks_resources(const Status &status) {
  return status.code == Code::kNoDescriptor || status.code == Code::kNoMemory;
}

bool out_of_memory(int error) {
  return error == ENOBUFS || error == ENOMEM;
}

bool only_later(int error) {
  return error == EAGAIN || error == EINTR;
}

} // namespace culvert
