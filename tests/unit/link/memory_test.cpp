#include "unit/link/link_suite.hpp"

namespace culvert::test {
namespace {

LinkPair memory_pair(LinkLab &lab) {
  return lab.memory_pair();
}

constexpr LinkTraits kMemory{
    .keeps_messages = true, .keeps_reason = true, .watch_sees_finish = true};

INSTANTIATE_TEST_SUITE_P(Memory, LinkSuite,
                         testing::Values(LinkKind{"uring", &make_uring_world, &memory_pair,
                                                  kMemory},
                                         LinkKind{"sim", &make_sim_world, &memory_pair, kMemory}),
                         kind_name);

} // namespace
} // namespace culvert::test
