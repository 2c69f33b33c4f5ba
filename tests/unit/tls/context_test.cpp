// A context that its role gives up lives on while a link may still use it.
#include "unit/sim/sim_tools.hpp"
#include "unit/tls/tls_tools.hpp"

namespace culvert::test {
namespace {

TEST(TlsContext, ALinkHoldsTheContextThatItWasMadeFrom) {
  LinkLab lab{std::make_unique<TestWorld>()};
  TlsKit kit(lab.shard());
  std::shared_ptr<TlsContext> context = std::move(kit.client);
  const std::weak_ptr<TlsContext> watched = context;
  LinkPair below = lab.tcp_pair();
  auto near = std::make_unique<TlsLink>(lab.shard(), std::move(below.near), *context, kit.peer);
  context.reset();
  EXPECT_FALSE(watched.expired());
  Event near_gone;
  Event far_gone;
  near->drop(near_gone.completion);
  below.far->drop(far_gone.completion);
  ASSERT_TRUE(lab.run_until([&] { return near_gone.done() && far_gone.done(); }));
  near.reset();
  EXPECT_TRUE(watched.expired());
}

} // namespace
} // namespace culvert::test
