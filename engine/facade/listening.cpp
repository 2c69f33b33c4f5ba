#include "facade/running_role.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace culvert {
namespace {

constexpr unsigned kEveryPermission = 0777;

std::vector<HostPort> all_of(const BindConfig &config) {
  std::vector<HostPort> all{config.bind};
  all.insert(all.end(), config.also_bind.begin(), config.also_bind.end());
  return all;
}

Result<Address> address_of(const HostPort &where) {
  if (!where.unix_path.empty()) {
    return Address::unix_path(where.unix_path);
  }
  const std::optional<Address> address = Address::from_literal(where.host, where.port);
  if (!address) {
    return Status::config("bind '" + where.text() +
                          "' is a name; write the IP address to listen on, for example "
                          "127.0.0.1:" +
                          std::to_string(where.port) + " or 0.0.0.0:" + std::to_string(where.port));
  }
  return *address;
}

/// A process that was killed may have the address for a moment: until the kernel has ended its
/// ring.
Result<Socket> listen_patiently(ShardThread &thread, const Address &address) {
  constexpr std::chrono::milliseconds kLook{20};
  const std::uint64_t most_ms = thread.shard().limits.address_in_use_ms;
  Result<Socket> socket = Status{};
  for (std::uint64_t waited_ms = 0;; waited_ms += kLook.count()) {
    thread.call([&] { socket = thread.io().listen(address); });
    if (socket.ok() || socket.status().os_error != EADDRINUSE || waited_ms >= most_ms) {
      return socket;
    }
    std::this_thread::sleep_for(kLook);
  }
}

/// One more address.
Status add(ShardThread &thread, const HostPort &where, unsigned mode, Listening &listening) {
  const Result<Address> address = address_of(where);
  if (!address.ok()) {
    return address.status();
  }
  const Result<Socket> socket = listen_patiently(thread, address.value());
  if (!socket.ok()) {
    Status status = socket.status();
    status.message = "bind " + where.text() + ": " + status.message;
    return status;
  }
  listening.sockets.push_back(socket.value());
  HostPort bound = where;
  if (where.unix_path.empty()) {
    thread.call([&] {
      const Result<Address> local = thread.io().local_address(socket.value());
      bound = local.ok() ? HostPort{local.value().host(), local.value().port, ""} : where;
    });
  } else {
    const SocketFile &file = listening.files.emplace_back(where.unix_path);
    if (const int error = mode == 0 ? 0 : file.set_mode(mode); error != 0) {
      return Status::machine("bind " + where.text() +
                             ": cannot set its mode: " + std::strerror(-error));
    }
  }
  listening.bound.push_back(std::move(bound));
  return {};
}

bool is_wildcard(const Address &address) {
  return std::all_of(address.bytes.begin(), address.bytes.end(),
                     [](std::uint8_t byte) { return byte == 0; });
}

/// [::] serves both families.
bool overlap(const Address &one, const Address &other) {
  if (one.family == Address::Family::kUnix || other.family == Address::Family::kUnix) {
    return one == other;
  }
  const auto takes_in = [](const Address &wide, const Address &narrow) {
    return is_wildcard(wide) &&
           (wide.family == Address::Family::kIpv6 || wide.family == narrow.family);
  };
  return one.port != 0 && one.port == other.port &&
         (one == other || takes_in(one, other) || takes_in(other, one));
}

/// One address cannot be listened on twice; the kernel would say only that it is in use.
Status check_distinct(const std::vector<HostPort> &addresses) {
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    for (std::size_t before = 0; before < i; ++before) {
      if (listen_on_same(addresses[before], addresses[i])) {
        return Status::config("bind " + addresses[i].text() + ": bind " + addresses[before].text() +
                              " listens there already; remove one of the two");
      }
    }
  }
  return {};
}

bool same(const std::vector<HostPort> &one, const std::vector<HostPort> &other) {
  return std::equal(
      one.begin(), one.end(), other.begin(), other.end(),
      [](const HostPort &left, const HostPort &right) { return left.text() == right.text(); });
}

} // namespace

bool listen_on_same(const HostPort &one, const HostPort &other) {
  const Result<Address> first = address_of(one);
  const Result<Address> second = address_of(other);
  return first.ok() && second.ok() && overlap(first.value(), second.value());
}

Status check_addresses(const BindConfig &config) {
  const std::vector<HostPort> all = all_of(config);
  const bool any_path = std::any_of(all.begin(), all.end(),
                                    [](const HostPort &where) { return !where.unix_path.empty(); });
  if (config.bind_mode > kEveryPermission || (config.bind_mode != 0 && !any_path)) {
    return Status::config("bind_mode is the mode of a unix socket, at most 0777; set it with a "
                          "unix path alone");
  }
  for (const HostPort &where : all) {
    if (const Result<Address> address = address_of(where); !address.ok()) {
      return address.status();
    }
  }
  return check_distinct(all);
}

Result<Listening> listen_on(ShardThreads &threads, const BindConfig &config) {
  Listening listening;
  listening.configured = all_of(config);
  listening.mode = config.bind_mode;
  if (Status status = check_addresses(config); !status.ok()) {
    return status;
  }
  for (const HostPort &where : listening.configured) {
    if (Status status = add(*threads[0], where, config.bind_mode, listening); !status.ok()) {
      listening.remove_files();
      threads[0]->call([&] {
        for (const Socket socket : listening.sockets) {
          threads[0]->io().close(socket);
        }
      });
      return status;
    }
  }
  return listening;
}

void Listening::remove_files() {
  for (SocketFile &file : files) {
    file.remove();
  }
}

Status Listening::check(const BindConfig &wanted) const {
  const std::vector<HostPort> addresses = all_of(wanted);
  if (!same(addresses, configured) && !same(addresses, bound)) {
    return needs_restart("bind");
  }
  return wanted.bind_mode == mode ? Status{} : needs_restart("bind_mode");
}

void Listening::log(Log &log, std::initializer_list<LogField> fields) const {
  for (const HostPort &where : bound) {
    log.write(LogLevel::kInfo, "listening on " + where.text(), fields);
  }
}

Status needs_restart(std::string_view setting) {
  return Status::config(std::string(setting) +
                        " cannot be changed while the role runs; stop it and start it again");
}

} // namespace culvert
