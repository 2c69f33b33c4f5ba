// The direct system calls of the backends that have a real kernel: addresses, listen, receive, send
// and other calls that complete at once.
//
// Free functions without state, safe from any thread; the descriptor belongs to the caller. They
// never block, whatever the descriptor's own flags say, and never raise SIGPIPE. A number below 0
// is a negated errno.
#pragma once

#include "io/io.hpp"

#include <cstddef>
#include <span>
#include <sys/socket.h>

namespace culvert::socket_calls {

/// An address in the kernel's form.
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
  [[nodiscard]] sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage); }
};

/// Returns 0, -EAFNOSUPPORT for an address without a family, or -ENAMETOOLONG or -EINVAL for a path
/// that no socket can have.
int to_kernel(const Address &address, KernelAddress &out);
Address from_kernel(const KernelAddress &address);

/// The file of a unix socket is replaced if no process listens on it. close() does not remove it
/// (SocketFile does).
Result<Socket> listen(const Address &address);
Result<Socket> open(const Address &address);
Result<Socket> adopt(int descriptor);
int receive(Socket socket, std::span<std::byte> into);
int send(Socket socket, std::span<const std::span<const std::byte>> parts);
int shutdown_send(Socket socket);
/// Options that this kind of socket does not have are ignored (TCP options on a unix socket).
int set_option(Socket socket, SocketOption option, int value);
Result<Address> local_address(Socket socket);
Result<Address> peer_address(Socket socket);
/// Also 0 for a socket that is no longer connected, because nobody will acknowledge its bytes.
int unsent_bytes(Socket socket);
std::uint64_t silent_ms(Socket socket);

} // namespace culvert::socket_calls
