#include "facade/running_role.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace culvert {
namespace {

constexpr unsigned kEveryPermission = 0777;

} // namespace

Result<Listening> listen_on(ShardThreads &threads, const HostPort &where, unsigned mode) {
  const ShardLimits &limits = threads[0]->shard().limits;
  if (mode > kEveryPermission || (mode != 0 && where.unix_path.empty())) {
    return Status::config("bind_mode is the mode of a unix socket, at most 0777; set it with a "
                          "unix path alone");
  }
  std::optional<Address> address;
  if (!where.unix_path.empty()) {
    address = Address::unix_path(where.unix_path);
  } else {
    address = Address::from_literal(where.host, where.port);
  }
  if (!address) {
    return Status::config("bind '" + where.text() +
                          "' is a name; write the IP address to listen on, for example "
                          "127.0.0.1:" +
                          std::to_string(where.port) + " or 0.0.0.0:" + std::to_string(where.port));
  }
  // A process that was killed may have the address for a moment: until the kernel has ended its
  // ring.
  constexpr std::chrono::milliseconds kLook{20};
  Result<Socket> socket = Status{};
  for (std::uint64_t waited_ms = 0;; waited_ms += kLook.count()) {
    threads[0]->call([&] { socket = threads[0]->io().listen(*address); });
    if (socket.ok() || socket.status().os_error != EADDRINUSE ||
        waited_ms >= limits.address_in_use_ms) {
      break;
    }
    std::this_thread::sleep_for(kLook);
  }
  Result<Listening> result = Status{};
  threads[0]->call([&] {
    Io &io = threads[0]->io();
    if (!socket.ok()) {
      Status status = socket.status();
      status.message = "bind " + where.text() + ": " + status.message;
      result = status;
      return;
    }
    Listening listening{socket.value(), where, SocketFile(where.unix_path)};
    if (const int error = mode == 0 ? 0 : listening.file.set_mode(mode); error != 0) {
      io.close(socket.value());
      result = Status::machine("bind " + where.text() +
                               ": cannot set its mode: " + std::strerror(-error));
      return;
    }
    const Result<Address> local = io.local_address(socket.value());
    if (local.ok() && where.unix_path.empty()) {
      listening.bound = {local.value().host(), local.value().port, ""};
    }
    result = std::move(listening);
  });
  return result;
}

Status check_bind(const HostPort &wanted, const HostPort &configured, const HostPort &bound) {
  const bool same = wanted.text() == configured.text() || wanted.text() == bound.text();
  return same ? Status{} : needs_restart("bind");
}

Status needs_restart(std::string_view setting) {
  return Status::config(std::string(setting) +
                        " cannot be changed while the role runs; stop it and start it again");
}

} // namespace culvert
