// What the tests of the simulated world share: a SimWorld in the clothes of the io suite's world,
// so that its helpers serve here too, and connections between hosts.
#pragma once

#include "support/sim/sim_log.hpp"
#include "support/sim/sim_world.hpp"
#include "unit/io/io_tools.hpp"

#include <cerrno>
#include <memory>
#include <string>

namespace culvert::test {

class TestWorld final : public IoWorld {
public:
  explicit TestWorld(std::uint64_t seed = 1, const SimFaults &faults = {}) : sim(seed, faults) {}

  Io &make() override { return sim.make_io("io"); }
  Address fresh_address(Address::Family family) override {
    if (family == Address::Family::kUnix) {
      return Address::unix_path("/sim/socket-" + std::to_string(paths_++));
    }
    return Address::loopback(0);
  }
  bool run_until(const std::function<bool()> &predicate) override {
    return sim.run_until(predicate, kPatienceMs);
  }
  std::size_t open_sockets() override { return sim.open_sockets(); }

  /// More virtual time than anything but a retransmission's give-up takes.
  static constexpr std::uint64_t kPatienceMs = 600'000;
  SimWorld sim;

private:
  int paths_ = 0;
};

inline Address address_of(std::string_view host, std::uint16_t port) {
  return *Address::from_literal(host, port);
}

/// Two hosts, 10.0.0.1 and 10.0.0.2, with one connection: `near` did the connect().
struct Wire {
  explicit Wire(TestWorld &world_of_it)
      : world(world_of_it), near_io(world.sim.make_io("near", "10.0.0.1")),
        far_io(world.sim.make_io("far", "10.0.0.2")) {
    const Socket listener = far_io.listen(address_of("10.0.0.2", 0)).value();
    const Address address = far_io.local_address(listener).value();
    Acceptor acceptor(far_io, listener);
    Op connect;
    near = near_io.open(address).value();
    near_io.connect(near, address, connect.completion);
    EXPECT_TRUE(world.run_until([&] { return connect.done() && acceptor.accepted.size() == 1; }));
    EXPECT_EQ(connect.result(), 0);
    far = acceptor.accepted.at(0);
    EXPECT_TRUE(acceptor.stop(world));
  }
  /// Lets everything that is under way arrive.
  void settle() { world.sim.run_for(1'000); }
  int send(std::string_view text) { return send_text(near_io, near, text); }
  int reply(std::string_view text) { return send_text(far_io, far, text); }
  /// What is there now at the far end, and what receive() said after it.
  std::string take(int &last) {
    std::string text;
    while ((last = receive_text(far_io, far, text)) > 0) {
    }
    return text;
  }
  void close_both() {
    near_io.close(near);
    far_io.close(far);
  }

  TestWorld &world;
  SimIo &near_io;
  SimIo &far_io;
  Socket near;
  Socket far;
};

} // namespace culvert::test
