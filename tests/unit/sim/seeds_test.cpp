// Many seeds of the small echo world: determinism, and what must hold under any fault.
#include "unit/sim/echo_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

TEST(SimSeeds, OneSeedIsOneRunAndAnotherSeedAnother) {
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const EchoRun first = run_echo_world(seed, SimFaults::all(2'000));
    const EchoRun again = run_echo_world(seed, SimFaults::all(2'000));
    EXPECT_EQ(first.hash, again.hash);
    EXPECT_EQ(first.checked_bytes, again.checked_bytes);
    EXPECT_EQ(first.counts.text(), again.counts.text());
    hashes.push_back(first.hash);
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(SimSeeds, WithoutFaultsEveryStreamIsWhole) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const EchoRun run = run_echo_world(seed, {});
    EXPECT_EQ(run.broken, 0U);
    EXPECT_EQ(run.counts.text(), SimFaultCounts().text());
  }
}

TEST(SimSeeds, StreamsAreByteExactUnderEveryHarmlessFault) {
  SimFaultCounts counts;
  std::size_t checked = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const EchoRun run = run_echo_world(seed, SimFaults::harmless(100'000), 300'000);
    EXPECT_EQ(run.broken, 0U);
    checked += run.checked_bytes;
    counts.add(run.counts);
  }
  EXPECT_GT(checked, 50'000'000U);
  EXPECT_EQ(counts.of(SimFault::kReset), 0U);
  EXPECT_GT(counts.of(SimFault::kSpuriousWake), 100U) << counts.text();
}

TEST(SimSeeds, AThousandSeedsUnderEveryFault) {
  SimFaultCounts counts;
  std::size_t whole = 0;
  std::size_t broken = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    const EchoRun run = run_echo_world(seed, SimFaults::all(10'000), 30'000);
    whole += run.whole;
    broken += run.broken;
    counts.add(run.counts);
  }
  EXPECT_GT(whole, 500U);
  EXPECT_GT(broken, 200U);
  for (std::size_t kind = 0; kind < kSimFaultKinds; ++kind) {
    const auto fault = static_cast<SimFault>(kind);
    EXPECT_GT(counts.of(fault), 5U) << word(fault);
  }
  for (const SimFault fault : {SimFault::kShortRead, SimFault::kShortWrite, SimFault::kReset,
                               SimFault::kLateCompletion, SimFault::kDelayedDelivery}) {
    EXPECT_GT(counts.of(fault, SimPhase::kStream), 5U) << counts.text();
    EXPECT_GT(counts.of(fault, SimPhase::kClosing) + counts.of(fault, SimPhase::kSetUp), 5U)
        << counts.text();
  }
}

} // namespace
} // namespace culvert::test
