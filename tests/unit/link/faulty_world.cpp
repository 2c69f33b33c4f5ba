#include "support/sim/sim_world.hpp"

#include "unit/link/link_suite.hpp"

namespace culvert::test {
namespace {

/// One in fifty of everything that can go wrong without losing a byte goes wrong.
class FaultySimWorld final : public IoWorld {
public:
  Io &make() override { return world_.make_io("io"); }
  Address fresh_address(Address::Family) override { return Address::loopback(0); }
  bool run_until(const std::function<bool()> &predicate) override {
    return world_.run_until(predicate, 3'600'000);
  }
  std::size_t open_sockets() override { return world_.open_sockets(); }

private:
  SimWorld world_{3, SimFaults::harmless(20'000)};
};

} // namespace

std::unique_ptr<IoWorld> make_faulty_sim_world() {
  return std::make_unique<FaultySimWorld>();
}

} // namespace culvert::test
