// The hosts of a simulated world: their addresses, what is bound on them, and the paths between.
//
// Used on the one thread that drives the world. It owns no socket: it names them by id.
#pragma once

#include "io/address.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert {

/// How bytes travel between any two hosts: one delivery a direction and latency, so a direction
/// carries about largest_delivery / 2 in each latency_ns.
struct SimLink {
  std::uint64_t latency_ns = 100'000;
  std::uint64_t jitter_ns = 50'000;          // drawn anew for each delivery
  std::size_t largest_delivery = 64U * 1024; // each delivery draws a size up to this
};

class SimNetwork {
public:
  /// The host with this address, made if it is new. Every host has the loopback addresses too.
  int host(std::string_view address);
  /// The host an address leads to when seen from `from`; -1: no such host.
  [[nodiscard]] int route(int from, const Address &to) const;
  /// The address `from` speaks from when it speaks to `to`.
  [[nodiscard]] Address source(int from, const Address &to) const;

  /// Binds a listening socket: 0, or the errno. A port of 0 is replaced by a free one.
  int bind(int host, Address &address, int socket);
  void release(int host, const Address &address);
  /// The socket that listens there, or -1.
  [[nodiscard]] int listener(int host, const Address &address) const;
  [[nodiscard]] bool known_path(int host, const std::string &path) const;
  std::uint16_t free_port();

  void cut(int host, int other) { cut_.insert(std::minmax(host, other)); }
  void mend(int host, int other) { cut_.erase(std::minmax(host, other)); }
  void mend_all() { cut_.clear(); }
  [[nodiscard]] bool reaches(int host, int other) const {
    return cut_.empty() || cut_.count(std::minmax(host, other)) == 0;
  }

  SimLink link;

private:
  using Place = std::pair<int, std::string>; // host, and the address as text
  std::vector<Address> hosts_;
  std::map<Place, int> bound_;
  std::set<Place> paths_; // ever bound: nothing removes a socket's file
  std::set<std::pair<int, int>> cut_;
  std::uint16_t next_port_ = 40'000;
};

} // namespace culvert
