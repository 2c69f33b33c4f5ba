#include "support/sim/sim_world.hpp"

#include "unit/io/io_world.hpp"

#include <algorithm>
#include <string>

namespace culvert::test {
namespace {

/// One seed, no faults, every Io on one host: the contract alone.
class SimIoWorld final : public IoWorld {
public:
  Io &make() override { return world_.make_io("io"); }

  Address fresh_address(Address::Family family) override {
    if (family == Address::Family::kUnix) {
      return Address::unix_path("/sim/socket-" + std::to_string(paths_++));
    }
    return family == Address::Family::kIpv6 ? *Address::from_literal("::1", 0)
                                            : Address::loopback(0);
  }

  bool run_until(const std::function<bool()> &predicate) override {
    world_.step(); // time goes on between two calls, as in a real world
    return world_.run_until(predicate, 3'600'000);
  }

  std::size_t open_sockets() override { return world_.open_sockets(); }

private:
  SimWorld world_{1};
  int paths_ = 0;
};

} // namespace

std::unique_ptr<IoWorld> make_sim_world() {
  return std::make_unique<SimIoWorld>();
}

} // namespace culvert::test
