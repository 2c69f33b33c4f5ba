#include "link/tcp.hpp"

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
constexpr LinkTraits kUnix{.abort_is_read = false, .drop_is_read = false};

INSTANTIATE_TEST_SUITE_P(
    Tcp, LinkSuite,
    testing::Values(LinkKind{"uring", &make_uring_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"uring_carrier", &make_uring_world, &carriers, kCarrier},
                    LinkKind{"uring_unix", &make_uring_world, &unix_ends, kUnix},
                    LinkKind{"sim", &make_sim_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"sim_carrier", &make_sim_world, &carriers, kCarrier},
                    LinkKind{"sim_faulty", &make_faulty_sim_world, &tunnel_ends, kTunnelEnd},
                    LinkKind{"sim_unix", &make_sim_world, &unix_ends, kUnix}),
    kind_name);

} // namespace
} // namespace culvert::test
