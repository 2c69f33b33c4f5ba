// The world in which the io suite runs: it makes Ios of one backend and drives them all.
//
// Used by one thread, which becomes the thread of every Io it makes. It owns the Ios; whatever a
// test started on one is joined before the world ends. A backend joins the suite with one line in
// io_worlds.cpp.
#pragma once

#include "io/io.hpp"

#include <cstddef>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace culvert::test {

class IoWorld {
public:
  virtual ~IoWorld() = default;

  /// A new shard's Io, driven by run_until() together with all others of this world.
  virtual Io &make() = 0;
  /// An address nobody listens on, fit for listen(): port 0 on the loopback of an IP family, a
  /// fresh path of a unix socket.
  virtual Address fresh_address(Address::Family family) = 0;
  /// Drives every Io until the predicate holds; false when a generous deadline passed before that.
  virtual bool run_until(const std::function<bool()> &predicate) = 0;
  /// Sockets of this world that are not closed yet, over all Ios.
  virtual std::size_t open_sockets() = 0;
};

struct IoBackend {
  std::string name;
  std::unique_ptr<IoWorld> (*make_world)();
};

std::unique_ptr<IoWorld> make_uring_world();
std::unique_ptr<IoWorld> make_epoll_world();
std::unique_ptr<IoWorld> make_sim_world();

/// The fixture of every test that runs on every backend.
class IoSuite : public testing::TestWithParam<IoBackend> {
protected:
  std::unique_ptr<IoWorld> world = GetParam().make_world();
};

} // namespace culvert::test
