// In steady state, with a sink that keeps up: no allocation, no lock and no copy of ours between
// receive and send, on whole tunnels over every kind of link (but for the copies of a memory link).
// libssl's own are counted apart.
#include "unit/byte_path/plain_user.hpp"

#include <algorithm>
#include <iostream>

namespace culvert::test {
namespace {

class SteadyState : public testing::TestWithParam<TunnelKind> {
protected:
  /// Moves so many bytes in steps that every buffer on the way can take.
  bool move(PlainUser &from, PlainUser &to, std::uint64_t bytes) {
    const std::uint64_t goal = to.bytes_read + bytes;
    while (to.bytes_read < goal) {
      step_ = std::min<std::uint64_t>(to.bytes_read + 65'536, goal);
      reader_ = &to;
      from.write_to(step_);
      if (!lab.run_until(arrived_)) {
        return false;
      }
    }
    return true;
  }

  TunnelLab lab{GetParam().make_world()};

private:
  PlainUser *reader_ = nullptr;
  std::uint64_t step_ = 0;
  const std::function<bool()> arrived_ = [this] { return reader_->bytes_read >= step_; };
};

TEST_P(SteadyState, NeitherAllocatesNorLocksNorCopies) {
  if (!can_count()) {
    GTEST_SKIP() << "a sanitizer counts these itself";
  }
  TunnelLab::End first = lab.connect(GetParam().first);
  TunnelLab::End second = lab.connect(GetParam().second);
  PlainUser app(std::move(first.peer));
  PlainUser target(std::move(second.peer));
  TunnelUnderTest under_test(lab.shard(), std::move(first.tunnel_end),
                             std::move(second.tunnel_end));
  under_test.tunnel->start();
  app.read();
  target.read();
  constexpr std::uint64_t kBytes = 16 * kMegabyte;
  for (auto [from, to] : {std::pair{&app, &target}, std::pair{&target, &app}}) {
    ASSERT_TRUE(move(*from, *to, 4 * kMegabyte)); // every ring and buffer has its size
    start_counting();
    const bool moved = move(*from, *to, kBytes);
    const Counts counts = stop_counting();
    ASSERT_TRUE(moved);
    EXPECT_EQ(counts.allocations, 0U);
    EXPECT_EQ(counts.locks, 0U);
    if (GetParam().first == SideKind::kMemory) { // a wire of its own: a copy in and one out
      EXPECT_LE(counts.large_copy_bytes, 4 * kBytes);
    } else {
      EXPECT_EQ(counts.large_copies, 0U) << counts.large_copy_bytes;
    }
    EXPECT_LT(counts.small_copy_bytes, kBytes / 50); // headers; pieces at the ends of turns
    std::cout << "  per MiB: libssl allocations " << counts.tls_allocations * kMegabyte / kBytes
              << ", locks " << counts.tls_locks * kMegabyte / kBytes << ", copied "
              << counts.tls_copy_bytes * kMegabyte / kBytes << "; copied by the TLS wire "
              << counts.wire_bytes * kMegabyte / kBytes << "; small copies of ours "
              << counts.small_copy_bytes * kMegabyte / kBytes << "\n";
  }
  app.drop();
  target.drop();
  under_test.tunnel->drop({});
  ASSERT_TRUE(lab.run_until(
      [&] { return under_test.ended && app.dropped.done() && target.dropped.done(); }));
}

std::vector<TunnelKind> tunnels_on_a_kernel() {
  std::vector<TunnelKind> kinds;
  for (TunnelKind &kind : every_tunnel()) {
    if (kind.make_world == &make_uring_world || kind.make_world == &make_epoll_world) {
      kinds.push_back(kind);
    }
  }
  kinds.push_back({"uring_tcp_messages", &make_uring_world, SideKind::kTcp, SideKind::kMessages});
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Every, SteadyState, testing::ValuesIn(tunnels_on_a_kernel()),
                         tunnel_kind_name);

} // namespace
} // namespace culvert::test
