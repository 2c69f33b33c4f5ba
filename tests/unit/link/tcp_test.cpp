#include "link/tcp.hpp"

#include "io/sim/sim_world.hpp"
#include "unit/link/link_suite.hpp"

namespace culvert::test {
namespace {

LinkPair tunnel_ends(LinkLab &lab) {
  return lab.tcp_pair(true);
}
LinkPair carriers(LinkLab &lab) {
  return lab.tcp_pair(false);
}
LinkPair unix_ends(LinkLab &lab) {
  return lab.tcp_pair(true, Address::Family::kUnix);
}

constexpr LinkTraits kTunnelEnd{};
constexpr LinkTraits kCarrier{.abort_is_read = false};

INSTANTIATE_TEST_SUITE_P(
    Tcp, LinkSuite,
    testing::Values(LinkKind{"uring", &make_uring_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"uring_carrier", &make_uring_world, &carriers, kCarrier},
                    LinkKind{"uring_unix", &make_uring_world, &unix_ends, kCarrier},
                    LinkKind{"sim", &make_sim_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"sim_carrier", &make_sim_world, &carriers, kCarrier},
                    LinkKind{"sim_unix", &make_sim_world, &unix_ends, kCarrier}),
    kind_name);

} // namespace
} // namespace culvert::test
