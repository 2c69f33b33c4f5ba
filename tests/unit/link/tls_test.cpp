#include "link/tls.hpp"

#include "unit/link/link_suite.hpp"
#include "unit/tls/tls_tools.hpp"

namespace culvert::test {
namespace {

/// The suite's pairs name no owner for contexts: they live as long as the program.
TlsKit &kit_of(LinkLab &lab) {
  static std::vector<std::unique_ptr<TlsKit>> kits;
  kits.push_back(std::make_unique<TlsKit>(lab.shard()));
  return *kits.back();
}

LinkPair shaken(LinkLab &lab, LinkPair below) {
  TlsPair pair(lab, kit_of(lab), std::move(below));
  if (!pair.shake(lab)) {
    ADD_FAILURE() << pair.near->failure().message << " / " << pair.far->failure().message;
    return {};
  }
  return {std::move(pair.near), std::move(pair.far)};
}

LinkPair client_near(LinkLab &lab) {
  return shaken(lab, lab.tcp_pair());
}
LinkPair server_near(LinkLab &lab) {
  LinkPair pair = client_near(lab);
  std::swap(pair.near, pair.far);
  return pair;
}
LinkPair over_memory(LinkLab &lab) {
  return shaken(lab, lab.memory_pair());
}

constexpr LinkTraits kTls{.allocates = true};

INSTANTIATE_TEST_SUITE_P(
    Tls, LinkSuite,
    testing::Values(LinkKind{"uring_client", &make_uring_world, &client_near, kTls},
                    LinkKind{"uring_server", &make_uring_world, &server_near, kTls},
                    LinkKind{"sim", &make_sim_world, &client_near, kTls},
                    LinkKind{"memory", &make_sim_world, &over_memory, kTls}),
    kind_name);

} // namespace
} // namespace culvert::test
