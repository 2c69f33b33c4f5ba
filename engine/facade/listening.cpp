#include "facade/running_role.hpp"

namespace culvert {

Result<Listening> listen_on(ShardThreads &threads, const HostPort &where, std::string_view what) {
  std::optional<Address> address;
  if (!where.unix_path.empty()) {
    address = Address::unix_path(where.unix_path);
  } else {
    address = Address::from_literal(where.host, where.port);
  }
  if (!address) {
    return Status::config(std::string(what) + " '" + where.text() +
                          "' is a name; write the IP address to listen on, for example "
                          "127.0.0.1:" +
                          std::to_string(where.port) + " or 0.0.0.0:" + std::to_string(where.port));
  }
  Result<Listening> result = Status{};
  threads[0]->call([&] {
    Io &io = threads[0]->io();
    const Result<Socket> socket = io.listen(*address);
    if (!socket.ok()) {
      Status status = socket.status();
      status.message = std::string(what) + " " + where.text() + ": " + status.message;
      result = status;
      return;
    }
    Listening listening{socket.value(), where, SocketFile(where.unix_path)};
    const Result<Address> local = io.local_address(socket.value());
    if (local.ok() && where.unix_path.empty()) {
      listening.bound = {local.value().host(), local.value().port, ""};
    }
    result = std::move(listening);
  });
  return result;
}

} // namespace culvert
