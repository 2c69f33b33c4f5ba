#include "unit/link/allocations.hpp"
#include "unit/link/link_suite.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert::test {
namespace {

constexpr std::size_t kMegabyte = 1024U * 1024;

TEST_P(LinkSuite, BytesOfEverySizeArriveExactly) {
  far->read_to();
  std::size_t total = 0;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{2}, std::size_t{125}, std::size_t{126}, std::size_t{16'383},
        std::size_t{16'384}, std::size_t{16'385}, std::size_t{65'536}, kTurnBytes - 1, kTurnBytes,
        kTurnBytes + 1, kMegabyte, 3 * kMegabyte}) {
    total += size;
    near->write_to(total);
    ASSERT_TRUE(run_until([&] { return far->bytes_read() == total; })) << size;
  }
  EXPECT_TRUE(far->intact());
  EXPECT_TRUE(run_until([&] { return near->link().held() == 0; }));
}

TEST_P(LinkSuite, BothDirectionsAtOnce) {
  near->read_to();
  far->read_to();
  near->write_to(5 * kMegabyte);
  far->write_to(3 * kMegabyte + 17);
  EXPECT_TRUE(run_until([&] {
    return far->bytes_read() == 5 * kMegabyte && near->bytes_read() == 3 * kMegabyte + 17;
  }));
}

TEST_P(LinkSuite, KeptChunksStayValidForTheTurn) {
  far->how.keep = true;
  far->read_to();
  near->write_to(2 * kMegabyte);
  EXPECT_TRUE(run_until([&] { return far->bytes_read() == 2 * kMegabyte; }));
}

TEST_P(LinkSuite, SmallTurnsAndSmallChunks) {
  far->how.turn_bytes = 5'000;
  far->how.chunk_bytes = 333;
  near->turn_bytes = 777;
  far->read_to();
  near->write_to(200'000);
  EXPECT_TRUE(run_until([&] { return far->bytes_read() == 200'000; }));
}

TEST_P(LinkSuite, ADeclinedTurnComesAgain) {
  far->decline_every = 2;
  far->read_to();
  near->write_to(kMegabyte);
  EXPECT_TRUE(run_until([&] { return far->bytes_read() == kMegabyte; }));
}

TEST_P(LinkSuite, MessagesKeepTheirBordersAndKinds) {
  if (!traits().keeps_messages) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->message_bytes = far->message_bytes = 40'000;
  far->read_to();
  near->write_to(50 * 40'000);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == 50 * 40'000; }));
  ASSERT_EQ(far->messages.size(), 50U);
  for (std::size_t i = 0; i < far->messages.size(); ++i) {
    EXPECT_EQ(far->messages[i].first, i % 2 == 1 ? ChunkKind::kText : ChunkKind::kBinary) << i;
    EXPECT_EQ(far->messages[i].second, 40'000U) << i;
  }
}

TEST_P(LinkSuite, ASlowReaderBoundsWhatIsHeld) {
  near->write_to(8 * kMegabyte);
  std::size_t most = 0;
  std::size_t limit = 0;
  EXPECT_TRUE(run_until([&] {
    most = std::max(most, near->link().held());
    if (far->bytes_read() >= limit) { // the reader wakes up now and then
      limit = far->bytes_read() + 40'000;
      far->read_to(limit);
    }
    return far->bytes_read() >= 8 * kMegabyte;
  }));
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kDirectionHeldBytes);
  EXPECT_LE(lab.shard().held.peak(), kDirectionHeldBytes);
}

TEST_P(LinkSuite, UnreadBytesComeFirstAgain) {
  if (!traits().byte_stream) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->write_to(5'000);
  far->read_to(5'000);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == 5'000; }));
  far->give_back(1'000);
  far->give_back(500);
  near->write_to(6'000);
  far->read_to(6'000);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == 6'000; }));
  EXPECT_TRUE(far->intact());
}

TEST_P(LinkSuite, UnreadBytesComeBeforeAReceivedEnd) {
  if (!traits().byte_stream) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->finish_after_write = true;
  near->write_to(5'000);
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  far->give_back(1'200);
  EXPECT_EQ(far->end(), nullptr);
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_EQ(far->bytes_read(), 5'000U);
}

TEST_P(LinkSuite, UnreadBytesComeInTurnsAsSmallAsAsked) {
  if (!traits().byte_stream) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->write_to(5'000);
  far->read_to(5'000);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == 5'000; }));
  far->give_back(3'500);
  far->how.turn_bytes = 1'000;
  std::vector<std::size_t> turns;
  far->receiving.then = [&, reads = far->receiving.then](int result) {
    reads(result);
    turns.push_back(far->bytes_read());
  };
  far->read_to(5'000);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == 5'000; }));
  EXPECT_EQ(turns, (std::vector<std::size_t>{2'500, 3'500, 4'500, 5'000}));
}

TEST_P(LinkSuite, CancelledReceiveLosesNothing) {
  far->read_to();
  lab.run_some(3);
  far->link().cancel(far->receiving.completion);
  ASSERT_TRUE(run_until([&] { return far->receiving.done(); }));
  EXPECT_EQ(far->receiving.result(), -ECANCELED);
  near->write_to(100'000);
  far->read_to();
  EXPECT_TRUE(run_until([&] { return far->bytes_read() == 100'000; }));
}

TEST_P(LinkSuite, CancelOfReceiveRacesWithBytes) {
  std::size_t total = 0;
  far->read_to();
  for (int round = 0; round < 50; ++round) {
    total += 1 + lab.random().below(20'000);
    near->write_to(total);
    lab.run_some(lab.random().below(4));
    if (far->receiving.completion.in_flight()) {
      far->link().cancel(far->receiving.completion);
    }
    ASSERT_TRUE(run_until([&] {
      far->read_to();
      return far->bytes_read() == total;
    }));
  }
}

TEST_P(LinkSuite, CancelledDrainKeepsWhatIsHeld) {
  near->write_until_held();
  const std::size_t held = near->link().held();
  ASSERT_GT(held, 0U);
  near->link().drain(near->draining.completion);
  near->link().cancel(near->draining.completion);
  ASSERT_TRUE(run_until([&] { return near->draining.done(); }));
  EXPECT_EQ(near->draining.result(), -ECANCELED);
  EXPECT_EQ(near->link().held(), held);
  far->read_to();
  near->link().drain(near->draining.completion);
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == near->written(); }));
  ASSERT_TRUE(run_until([&] { return near->draining.done(); }));
  EXPECT_EQ(near->draining.result(), 0);
}

TEST_P(LinkSuite, MovesWithHeldAndUnreadBytes) {
  if (!traits().can_move) {
    GTEST_SKIP() << "not promised by this link";
  }
  Shard &other = lab.other_shard();
  near->write_until_held();
  near->link().drain(near->draining.completion);
  near->link().cancel(near->draining.completion);
  far->read_to(10'000);
  ASSERT_TRUE(run_until([&] { return near->draining.done() && far->bytes_read() >= 10'000; }));
  if (traits().byte_stream) {
    far->give_back(4'000);
  }
  const std::size_t held = near->link().held();
  near->link().leave();
  EXPECT_EQ(lab.shard().held.held(), 0U);
  near->link().arrive(other);
  EXPECT_EQ(other.held.held(), held);
  far->link().leave();
  far->link().arrive(other);
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->bytes_read() == near->written(); }));
  far->write_to(kMegabyte);
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->bytes_read() == kMegabyte; }));
  close_both();
}

TEST_P(LinkSuite, SteadyStateAllocatesNothing) {
  if (traits().allocates || lab.virtual_time()) {
    GTEST_SKIP() << "what is below this link allocates";
  }
  if (!can_count_allocations()) {
    GTEST_SKIP() << "a sanitizer counts its own";
  }
  far->read_to();
  std::size_t before = 0;
  for (std::size_t turn = 1; turn <= 300; ++turn) {
    near->write_to(turn * 65'536);
    const std::function<bool()> arrived = [&] { return far->bytes_read() == turn * 65'536; };
    if (turn == 100) {
      before = allocations();
    }
    if (!run_until(arrived)) {
      FAIL() << "stuck at turn " << turn;
    }
  }
  // What is left is this test's own: one std::function a turn.
  EXPECT_LE(allocations() - before, 202U);
}

} // namespace
} // namespace culvert::test
