#include "io/socket_calls.hpp"

#include "core/limits.hpp"
#include "io/advice.hpp"
#include "io/socket_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

namespace culvert::socket_calls {
namespace {

int errno_or(int result) {
  return result < 0 ? -errno : result;
}

int family_of(const Address &address) {
  switch (address.family) {
  case Address::Family::kIpv4:
    return AF_INET;
  case Address::Family::kIpv6:
    return AF_INET6;
  case Address::Family::kUnix:
    return AF_UNIX;
  case Address::Family::kNone:
    break;
  }
  return AF_UNSPEC;
}

Code code_of(int error) {
  switch (error) {
  case EMFILE:
  case ENFILE:
    return Code::kNoDescriptor;
  case ENOMEM:
  case ENOBUFS:
    return Code::kNoMemory;
  default:
    return Code::kConfig;
  }
}

/// What an operator can do about it; empty if the errno's text is enough. `use` is the use of a
/// unix socket's path.
std::string advice(int error, const Address &address, PathUse use) {
  const bool unix_socket = address.family == Address::Family::kUnix;
  switch (error) {
  case EADDRINUSE:
    return !unix_socket ? "; another process listens there: stop it or choose another port"
           : use == PathUse::kNoSocket ? "; a file that is no socket is there: choose another path"
           : use == PathUse::kNobodyListens
               ? "; nobody listens there, but another process has locked its folder: try again, or "
                 "remove the file"
               : "; another process listens there: stop it or choose another path";
  case EPERM:
    return unix_socket ? "; the file there is another user's: let him remove it or choose another "
                         "path"
                       : "";
  case EACCES:
    return unix_socket ? "; this user may not create or replace a file there"
                       : "; a port below 1024 needs CAP_NET_BIND_SERVICE: choose another port";
  case EADDRNOTAVAIL:
    return "; no interface of this machine has that address";
  case ENOENT:
    return unix_socket ? "; make its folder first" : "";
  case ENAMETOOLONG:
    return "; the path of a unix socket has at most 107 bytes";
  case EMFILE:
    return std::string("; ") + kOpenFilesAdvice;
  default:
    return "";
  }
}

Status failure(const char *what, const Address &address, int error,
               PathUse use = PathUse::kNothing) {
  const Code code = code_of(error);
  Status status = Status::failure(code, error == ENAMETOOLONG ? Source::kConfig : Source::kLocal,
                                  code == Code::kConfig ? Retry::kNever : Retry::kBackoff,
                                  std::string("cannot ") + what + " " + address.text() + ": " +
                                      std::strerror(error) + advice(error, address, use));
  status.os_error = error;
  return status;
}

int set_int(int descriptor, int level, int name, int value) {
  return errno_or(setsockopt(descriptor, level, name, &value, sizeof value));
}

int set_keep_alive(int descriptor, int idle_sec) {
  int result = set_int(descriptor, SOL_SOCKET, SO_KEEPALIVE, idle_sec > 0 ? 1 : 0);
  if (result < 0 || idle_sec == 0) {
    return result;
  }
  result = set_int(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, idle_sec);
  if (result == 0) {
    result = set_int(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSec);
  }
  if (result == 0) {
    result = set_int(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  }
  return result;
}

int prepare_listener(int descriptor, const Address &address, const KernelAddress &kernel) {
  int result = 0;
  if (address.family != Address::Family::kUnix) {
    result = set_int(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (result == 0 && address.family == Address::Family::kIpv6) {
    // [::] serves both families, and any other address its own, whatever the machine's sysctl says.
    const bool both = address.bytes == Address{}.bytes;
    result = set_int(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
  }
  if (result == 0) {
    result = errno_or(::bind(descriptor, kernel.get(), kernel.length));
  }
  if (result == 0) {
    result = errno_or(::listen(descriptor, kListenBacklog));
  }
  return result;
}

/// Also replaces the socket file of a process that has died. `use` is set if the path is in use.
int listen_at_path(int descriptor, const Address &address, const KernelAddress &kernel,
                   PathUse &use) {
  const FolderLock lock(address.path);
  const int result = prepare_listener(descriptor, address, kernel);
  if (result != -EADDRINUSE) {
    return result;
  }
  use = use_of_path(address.path);
  if (use == PathUse::kNobodyListens && lock.held()) {
    if (::unlink(address.path.c_str()) != 0 && errno != ENOENT) {
      return -errno;
    }
    use = PathUse::kNothing;
  }
  return use == PathUse::kNothing ? prepare_listener(descriptor, address, kernel) : result;
}

using NameCall = int (*)(int, sockaddr *, socklen_t *);

Result<Address> name_of(Socket socket, NameCall call) {
  KernelAddress kernel;
  kernel.length = sizeof kernel.storage;
  if (call(socket.id, kernel.get(), &kernel.length) < 0) {
    const int error = errno;
    Status status = Status::failure(Code::kInternal, Source::kLocal, Retry::kNever,
                                    std::string("a socket has no address: ") + strerror(error));
    status.os_error = error;
    return status;
  }
  return from_kernel(kernel);
}

} // namespace

int to_kernel(const Address &address, KernelAddress &out) {
  out = {};
  switch (address.family) {
  case Address::Family::kNone:
    return -EAFNOSUPPORT;
  case Address::Family::kIpv4: {
    sockaddr_in ip{};
    ip.sin_family = AF_INET;
    ip.sin_port = htons(address.port);
    std::memcpy(&ip.sin_addr, address.bytes.data(), sizeof ip.sin_addr);
    std::memcpy(&out.storage, &ip, sizeof ip);
    out.length = sizeof ip;
    return 0;
  }
  case Address::Family::kIpv6: {
    sockaddr_in6 ip{};
    ip.sin6_family = AF_INET6;
    ip.sin6_port = htons(address.port);
    std::memcpy(&ip.sin6_addr, address.bytes.data(), sizeof ip.sin6_addr);
    std::memcpy(&out.storage, &ip, sizeof ip);
    out.length = sizeof ip;
    return 0;
  }
  case Address::Family::kUnix: {
    sockaddr_un path{};
    if (address.path.empty() || address.path.find('\0') != std::string::npos) {
      return -EINVAL; // the kernel would read it as an unnamed or abstract socket
    }
    static_assert(kSocketPathBytes < sizeof path.sun_path);
    if (address.path.size() > kSocketPathBytes) {
      return -ENAMETOOLONG;
    }
    path.sun_family = AF_UNIX;
    std::memcpy(path.sun_path, address.path.data(), address.path.size());
    std::memcpy(&out.storage, &path, sizeof path);
    out.length = sizeof path;
    return 0;
  }
  }
  return -EAFNOSUPPORT;
}

Address from_kernel(const KernelAddress &kernel) {
  Address address;
  if (kernel.storage.ss_family == AF_INET) {
    sockaddr_in ip{};
    std::memcpy(&ip, &kernel.storage, sizeof ip);
    address.family = Address::Family::kIpv4;
    address.port = ntohs(ip.sin_port);
    std::memcpy(address.bytes.data(), &ip.sin_addr, sizeof ip.sin_addr);
  } else if (kernel.storage.ss_family == AF_INET6) {
    sockaddr_in6 ip{};
    std::memcpy(&ip, &kernel.storage, sizeof ip);
    address.port = ntohs(ip.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&ip.sin6_addr)) { // of an IPv4 peer that came to [::]
      address.family = Address::Family::kIpv4;
      std::memcpy(address.bytes.data(), ip.sin6_addr.s6_addr + 12, 4);
    } else {
      address.family = Address::Family::kIpv6;
      std::memcpy(address.bytes.data(), &ip.sin6_addr, sizeof ip.sin6_addr);
    }
  } else if (kernel.storage.ss_family == AF_UNIX) {
    sockaddr_un path{};
    std::memcpy(&path, &kernel.storage, std::min<std::size_t>(kernel.length, sizeof path));
    address.family = Address::Family::kUnix;
    address.path.assign(path.sun_path, strnlen(path.sun_path, sizeof path.sun_path));
  }
  return address;
}

Result<Socket> listen(const Address &address) {
  KernelAddress kernel;
  int result = to_kernel(address, kernel);
  if (result < 0) {
    return failure("listen on", address, -result);
  }
  const Socket socket{::socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket.valid()) {
    return failure("listen on", address, errno);
  }
  PathUse use = PathUse::kNothing;
  result = address.family == Address::Family::kUnix
               ? listen_at_path(socket.id, address, kernel, use)
               : prepare_listener(socket.id, address, kernel);
  if (result < 0) {
    ::close(socket.id);
    return failure("listen on", address, -result, use);
  }
  return socket;
}

Result<Socket> open(const Address &address) {
  const Socket socket{::socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket.valid()) {
    return failure("make a socket for", address, errno);
  }
  return socket;
}

Result<Socket> adopt(int descriptor) {
  const Socket socket{::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)};
  if (!socket.valid()) {
    return Status::failure(errno == EBADF ? Code::kGone : Code::kNoDescriptor, Source::kLocal,
                           Retry::kBackoff, "cannot duplicate a descriptor");
  }
  return socket;
}

int receive(Socket socket, std::span<std::byte> into) {
  CULVERT_ASSERT(!into.empty()); // 0 would read as the end
  return errno_or(
      static_cast<int>(::recv(socket.id, into.data(), into.size(), MSG_DONTWAIT | MSG_NOSIGNAL)));
}

int send(Socket socket, std::span<const std::span<const std::byte>> parts) {
  CULVERT_ASSERT(parts.size() <= kGatherParts);
  std::array<iovec, kGatherParts> vectors;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    vectors[i] = {const_cast<std::byte *>(parts[i].data()), parts[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = parts.size();
  return errno_or(static_cast<int>(::sendmsg(socket.id, &message, MSG_DONTWAIT | MSG_NOSIGNAL)));
}

int shutdown_send(Socket socket) {
  return errno_or(::shutdown(socket.id, SHUT_WR));
}

int set_option(Socket socket, SocketOption option, int value) {
  int result = -EINVAL;
  switch (option) {
  case SocketOption::kNoDelay:
    result = set_int(socket.id, IPPROTO_TCP, TCP_NODELAY, value);
    break;
  case SocketOption::kLingerZero: {
    const linger how{value != 0 ? 1 : 0, 0};
    return errno_or(setsockopt(socket.id, SOL_SOCKET, SO_LINGER, &how, sizeof how));
  }
  case SocketOption::kUrgentInline:
    return set_int(socket.id, SOL_SOCKET, SO_OOBINLINE, value);
  case SocketOption::kKeepAliveSec:
    result = set_keep_alive(socket.id, value);
    break;
  case SocketOption::kSendBuffer:
    return set_int(socket.id, SOL_SOCKET, SO_SNDBUF, value);
  case SocketOption::kReceiveBuffer:
    return set_int(socket.id, SOL_SOCKET, SO_RCVBUF, value);
  }
  return result == -EOPNOTSUPP ? 0 : result;
}

Result<Address> local_address(Socket socket) {
  return name_of(socket, &getsockname);
}

Result<Address> peer_address(Socket socket) {
  return name_of(socket, &getpeername);
}

int unsent_bytes(Socket socket) {
  std::uint8_t state = TCP_CLOSE; // the first byte of tcp_info
  socklen_t length = sizeof state;
  if (getsockopt(socket.id, IPPROTO_TCP, TCP_INFO, &state, &length) < 0 || state == TCP_CLOSE) {
    return 0; // a unix socket has passed its bytes to the peer already
  }
  int bytes = 0;
  return ::ioctl(socket.id, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

std::uint64_t silent_ms(Socket socket) {
  tcp_info info{};
  socklen_t length = sizeof info;
  const bool known = getsockopt(socket.id, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
  return known && info.tcpi_unacked > 0 ? info.tcpi_last_ack_recv : 0;
}

} // namespace culvert::socket_calls
