#include "unit/io/io_world.hpp"

namespace culvert::test {

INSTANTIATE_TEST_SUITE_P(Backends, IoSuite,
                         testing::Values(IoBackend{"uring", &make_uring_world},
                                         IoBackend{"epoll", &make_epoll_world},
                                         IoBackend{"sim", &make_sim_world}),
                         [](const auto &info) { return info.param.name; });

} // namespace culvert::test
