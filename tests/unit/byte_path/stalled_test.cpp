// A hundred tunnels whose readers sleep, and a neighbour that moves 1 GiB meanwhile.
#include "unit/byte_path/plain_user.hpp"

#include <algorithm>
#include <fstream>
#include <unistd.h>

namespace culvert::test {
namespace {

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

struct Stalled {
  explicit Stalled(TunnelLab &lab)
      : first(lab.connect(SideKind::kTcp)), second(lab.connect(SideKind::kTcp)),
        app(std::move(first.peer)), target(std::move(second.peer)),
        under_test(lab.shard(), std::move(first.tunnel_end), std::move(second.tunnel_end)) {
    under_test.tunnel->start();
  }
  TunnelLab::End first;
  TunnelLab::End second;
  PlainUser app;
  PlainUser target;
  TunnelUnderTest under_test;
};

TEST(StalledTunnels, HoldNoMoreThanTheirBoundWhileANeighbourMovesAGibibyte) {
  if (!can_count()) {
    GTEST_SKIP() << "a sanitizer's memory is not the engine's";
  }
  constexpr std::size_t kTunnels = 100;
  constexpr std::uint64_t kLongestWindowNs = 240'000'000'000;
  constexpr std::uint64_t kWindowNs = 30'000'000'000;
  constexpr std::uint64_t kGibibyte = 1'024 * kMegabyte;
  TunnelLab lab(make_uring_world());
  Stalled neighbour(lab);
  std::vector<std::unique_ptr<Stalled>> stalled;
  for (std::size_t i = 0; i < kTunnels; ++i) {
    stalled.push_back(std::make_unique<Stalled>(lab));
  }
  const std::size_t before = resident_bytes();
  for (auto &one : stalled) {
    one->app.write_to(40 * kMegabyte);
    one->target.write_to(40 * kMegabyte);
  }
  neighbour.target.read();
  neighbour.app.write_to(kGibibyte);
  const std::uint64_t begin_ns = lab.shard().io.now_ns();
  std::size_t most = 0;
  std::size_t grown = 0;
  const auto look = [&] {
    for (const auto &one : stalled) {
      most = std::max(most, one->under_test.tunnel->held());
    }
    grown = std::max(grown, resident_bytes() - std::min(before, resident_bytes()));
  };
  std::uint64_t looked_ns = begin_ns;
  const auto passed = [&](std::uint64_t until_ns) {
    const std::uint64_t now_ns = lab.shard().io.now_ns();
    if (now_ns - looked_ns > 100'000'000) {
      looked_ns = now_ns;
      look();
    }
    return now_ns >= until_ns;
  };
  // The window lasts until the neighbour is done, however slow the machine is today.
  const auto window_over = [&] {
    return passed(begin_ns + kWindowNs) && neighbour.target.bytes_read == kGibibyte;
  };
  while (!window_over() && !passed(begin_ns + kLongestWindowNs)) {
    const std::uint64_t until_ns = lab.shard().io.now_ns() + 5'000'000'000;
    ASSERT_TRUE(lab.run_until([&] { return window_over() || passed(until_ns); }));
  }
  EXPECT_EQ(neighbour.target.bytes_read, kGibibyte);
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kTunnelHeldBytes);
  EXPECT_LE(lab.shard().held.peak(), kTunnels * kTunnelHeldBytes + kTunnelHeldBytes);
  // The peers' own links live here too, and hold at most as much again.
  const std::size_t of_peers = lab.other_shard().held.peak();
  EXPECT_LT(grown, kTunnels * kTunnelHeldBytes + of_peers + 32 * kMegabyte);
  stalled.push_back(nullptr);
  for (auto &one : stalled) {
    Stalled &tunnel = one ? *one : neighbour;
    tunnel.app.drop();
    tunnel.target.drop();
    tunnel.under_test.tunnel->drop({});
    ASSERT_TRUE(lab.run_until([&] {
      return tunnel.under_test.ended && tunnel.app.dropped.done() && tunnel.target.dropped.done();
    }));
  }
}

} // namespace
} // namespace culvert::test
