#include "unit/link/link_suite.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert::test {
namespace {

constexpr std::size_t kMegabyte = 1024U * 1024;

TEST_P(LinkSuite, AFinishIsReadAsFinishedWithItsReason) {
  near->write_to(10);
  near->finish(Ending::finished(1001, "going away"));
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr && near->finished.done(); }));
  EXPECT_EQ(near->finished.result(), 0);
  EXPECT_EQ(far->bytes_read(), 10U);
  EXPECT_FALSE(far->end()->aborted);
  if (traits().keeps_reason) {
    EXPECT_EQ(far->end()->code, 1001);
    EXPECT_EQ(far->end()->reason, "going away");
  }
  far->finish();
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr; }));
  EXPECT_FALSE(near->end()->aborted);
  close_both();
}

TEST_P(LinkSuite, AReceiveBehindTheEndIsAnEmptyTurn) {
  near->write_to(100);
  near->finish();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  for (int again = 0; again < 2; ++again) {
    Event late;
    bool any = true;
    late.then = [&](int) {
      Chunk chunk;
      any = far->link().take(chunk, {});
    };
    far->link().receive(late.completion);
    ASSERT_TRUE(run_until([&] { return late.done(); }));
    EXPECT_EQ(late.result(), 0);
    EXPECT_FALSE(any);
    EXPECT_NE(far->end(), nullptr);
  }
}

TEST_P(LinkSuite, AHalfCloseBehindMegabytesLeavesTheOtherDirection) {
  if (!traits().can_half_close) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->write_until_held();
  near->finish();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_FALSE(far->end()->aborted);
  EXPECT_EQ(far->bytes_read(), near->written());
  EXPECT_EQ(near->finished.result(), 0);
  far->finish_after_write = true;
  far->write_to(3 * kMegabyte);
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr; }));
  EXPECT_FALSE(near->end()->aborted);
  EXPECT_EQ(near->bytes_read(), 3 * kMegabyte);
  close_both();
}

TEST_P(LinkSuite, BothFinishBehindMegabytesAtOnce) {
  near->write_until_held();
  far->write_until_held();
  near->finish();
  far->finish();
  near->read_to();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr && far->end() != nullptr; }));
  EXPECT_FALSE(near->end()->aborted || far->end()->aborted);
  EXPECT_EQ(far->bytes_read(), near->written());
  EXPECT_EQ(near->bytes_read(), far->written());
  close_both();
}

TEST_P(LinkSuite, AnAbortArrivesBehindMegabytesHoweverSlowTheReader) {
  near->write_until_held();
  near->abort();
  far->how.turn_bytes = 30'000;
  std::size_t limit = 0;
  ASSERT_TRUE(run_until([&] {
    if (far->bytes_read() >= limit) { // a stack may have read ahead
      limit += 200'000;
      far->read_to(limit);
    }
    return far->end() != nullptr;
  }));
  EXPECT_EQ(far->bytes_read(), near->written());
  EXPECT_EQ(far->end()->aborted, traits().abort_is_read);
  far->close();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
}

TEST_P(LinkSuite, AnAbortOfAnIdleLinkIsReadWhileReading) {
  far->read_to();
  lab.run_some(3);
  near->abort();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_EQ(far->end()->aborted, traits().abort_is_read);
  far->abort();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
  EXPECT_EQ(far->ended.result(), 0);
}

TEST_P(LinkSuite, BothAbortAtOnceBehindMegabytes) {
  near->write_until_held();
  far->write_until_held();
  near->abort();
  far->abort();
  if (traits().abort_is_read && !lab.virtual_time()) {
    return; // neither reads, so each waits for the other until abort_stall_ms: not in real time
  }
  EXPECT_TRUE(run_until([&] { return near->over() && far->over(); }));
}

/// Each must be read before it can send its own end, and nobody reads but the endings themselves.
TEST_P(LinkSuite, BothCloseAtOnceBehindMegabytes) {
  near->write_until_held();
  far->write_until_held();
  near->close();
  far->close();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
  EXPECT_EQ(far->ended.result(), 0);
}

TEST_P(LinkSuite, ACloseDeliversMegabytesAndOutlastsThePeersOwn) {
  near->write_until_held();
  far->write_until_held();
  near->close();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_FALSE(far->end()->aborted);
  EXPECT_EQ(far->bytes_read(), near->written());
  EXPECT_FALSE(far->link().broken());
  far->finish();
  ASSERT_TRUE(run_until([&] { return far->finished.done() && near->over(); }));
  EXPECT_EQ(far->finished.result(), 0);
  EXPECT_FALSE(far->link().broken());
  EXPECT_EQ(near->ended.result(), 0);
}

TEST_P(LinkSuite, ACloseBehindAFinishDeliversEverything) {
  near->write_until_held();
  near->finish();
  near->close();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_FALSE(far->end()->aborted);
  EXPECT_EQ(far->bytes_read(), near->written());
  far->close();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_TRUE(near->finished.result() == 0 || near->finished.result() == -ECANCELED);
  EXPECT_EQ(near->ended.result(), 0);
}

TEST_P(LinkSuite, AnAbortTakesBackAFinishThatWaitsBehindHeldBytes) {
  near->write_until_held();
  near->finish(Ending::finished(1001, "going away"));
  near->abort();
  far->read_to();
  ASSERT_TRUE(run_until([&] { return far->end() != nullptr; }));
  EXPECT_EQ(far->bytes_read(), near->written());
  EXPECT_EQ(far->end()->aborted, traits().abort_is_read);
  far->close();
  ASSERT_TRUE(run_until([&] { return near->over() && far->over(); }));
  EXPECT_EQ(near->finished.result(), traits().abort_is_read ? -ECANCELED : 0);
  EXPECT_EQ(near->ended.result(), 0);
}

TEST_P(LinkSuite, ACloseGivesUpOnAPeerThatNeverEnds) {
  if (!lab.virtual_time()) {
    GTEST_SKIP() << "takes ShardLimits{}.linger_ms of real time";
  }
  far->read_to();
  const std::uint64_t before_ns = lab.shard().io.now_ns();
  near->close();
  ASSERT_TRUE(run_until([&] { return near->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
  const std::uint64_t took_ms = (lab.shard().io.now_ns() - before_ns) / 1'000'000;
  EXPECT_GE(took_ms, ShardLimits{}.linger_ms - 2 * (ShardLimits{}.linger_ms / 10));
  EXPECT_LE(took_ms,
            traits().layers_that_linger * ShardLimits{}.linger_ms + (ShardLimits{}.linger_ms / 10));
}

TEST_P(LinkSuite, AnEndingWithoutProgressIsDropped) {
  if (!lab.virtual_time()) {
    GTEST_SKIP() << "takes ShardLimits{}.abort_stall_ms of real time";
  }
  for (const bool abort : {true, false}) {
    near->write_until_held();
    const std::uint64_t before_ns = lab.shard().io.now_ns();
    abort ? near->abort() : near->close();
    ASSERT_TRUE(run_until([&] { return near->over(); }));
    EXPECT_EQ(near->ended.result(), -ETIMEDOUT);
    const std::uint64_t took_ms = (lab.shard().io.now_ns() - before_ns) / 1'000'000;
    EXPECT_GE(took_ms, ShardLimits{}.abort_stall_ms - 2 * (ShardLimits{}.linger_ms / 10));
    EXPECT_LE(took_ms, ShardLimits{}.abort_stall_ms + ShardLimits{}.linger_ms);
    ASSERT_NO_FATAL_FAILURE(end_all());
    ASSERT_NO_FATAL_FAILURE(connect());
  }
}

TEST_P(LinkSuite, ADropAtAnyMomentLeavesNothingBehind) {
  const int rounds = lab.virtual_time() ? 100 : 25;
  for (int round = 0; round < rounds; ++round) {
    near->read_to();
    far->read_to();
    near->write_to(2 * kMegabyte);
    far->write_to(kMegabyte);
    std::size_t moments = 1 + lab.random().below(300);
    ASSERT_TRUE(run_until([&] {
      const bool idle = far->bytes_read() == 2 * kMegabyte && near->bytes_read() == kMegabyte;
      moments -= moments == 0 ? 0 : 1;
      return moments == 0 || idle;
    }));
    switch (lab.random().below(4)) {
    case 0:
      near->abort();
      break;
    case 1:
      near->close();
      break;
    default:
      break;
    }
    lab.run_some(1 + lab.random().below(5));
    if (!near->over()) {
      near->drop();
    }
    ASSERT_TRUE(run_until([&] { return near->over(); }));
    if (near->dropped.done() && near->ended.done()) {
      EXPECT_LE(near->ended.result(), 0);
    }
    ASSERT_NO_FATAL_FAILURE(end_all());
    ASSERT_NO_FATAL_FAILURE(connect());
  }
}

TEST_P(LinkSuite, ADropIsReadAsAborted) {
  if (!traits().drop_is_read) {
    GTEST_SKIP() << "not promised by this link";
  }
  near->write_until_held();
  far->read_to(10'000);
  lab.run_some(10);
  near->drop();
  far->read_to();
  ASSERT_TRUE(run_until([&] {
    far->read_to();
    return far->end() != nullptr;
  }));
  EXPECT_TRUE(far->end()->aborted);
  EXPECT_FALSE(far->end()->status.ok());
}

TEST_P(LinkSuite, ADropFirstCompletesWhatIsArmed) {
  std::vector<std::string> order;
  near->write_until_held();
  near->receiving.then = [&](int result) { order.push_back("receive " + std::to_string(result)); };
  near->draining.then = [&](int result) { order.push_back("drain " + std::to_string(result)); };
  near->finished.then = [&](int result) { order.push_back("finish " + std::to_string(result)); };
  near->ended.then = [&](int result) { order.push_back("close " + std::to_string(result)); };
  near->dropped.then = [&](int result) { order.push_back("drop " + std::to_string(result)); };
  near->link().receive(near->receiving.completion);
  near->link().drain(near->draining.completion);
  near->finish();
  near->close();
  near->drop();
  ASSERT_TRUE(run_until([&] { return near->over(); }));
  ASSERT_EQ(order.size(), 5U);
  EXPECT_EQ(order.back(), "drop 0");
  std::sort(order.begin(), order.end());
  const std::string cancelled = " " + std::to_string(-ECANCELED);
  EXPECT_EQ(order, (std::vector<std::string>{"close" + cancelled, "drain" + cancelled, "drop 0",
                                             "finish" + cancelled, "receive" + cancelled}));
}

TEST_P(LinkSuite, AResetWhileBytesAreHeldBreaksTheDirection) {
  near->write_until_held();
  ASSERT_GT(near->link().held(), 0U);
  near->link().drain(near->draining.completion);
  far->drop();
  ASSERT_TRUE(run_until([&] { return near->draining.done(); }));
  EXPECT_EQ(near->draining.result(), 0);
  ASSERT_TRUE(near->link().broken());
  EXPECT_FALSE(near->link().broken()->ok());
  EXPECT_EQ(near->link().held(), 0U);
  EXPECT_EQ(lab.shard().held.held(), 0U);
  near->finish(); // does nothing more
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->finished.done() && near->end() != nullptr; }));
  EXPECT_EQ(near->finished.result(), 0);
  EXPECT_TRUE(near->end()->aborted || !traits().drop_is_read);
  near->close();
  ASSERT_TRUE(run_until([&] { return near->over(); }));
  EXPECT_EQ(near->ended.result(), 0);
}

TEST_P(LinkSuite, AWatchSeesAFinishPastUnreadBytes) {
  if (!traits().watch_sees_finish) {
    GTEST_SKIP() << "not promised by this link";
  }
  far->write_to(5'000);
  near->link().watch(near->watching.completion);
  lab.run_some(20);
  EXPECT_FALSE(near->watching.done());
  far->finish();
  ASSERT_TRUE(run_until([&] { return near->watching.done(); }));
  EXPECT_EQ(near->watching.result(), 0);
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr; }));
  EXPECT_EQ(near->bytes_read(), 5'000U);
  EXPECT_FALSE(near->end()->aborted);
}

TEST_P(LinkSuite, AWatchSeesADrop) {
  near->link().watch(near->watching.completion);
  lab.run_some(3);
  EXPECT_FALSE(near->watching.done());
  far->drop();
  ASSERT_TRUE(run_until([&] { return near->watching.done(); }));
  EXPECT_EQ(near->watching.result(), 0);
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr; }));
  EXPECT_EQ(near->end()->aborted, traits().drop_is_read);
}

TEST_P(LinkSuite, AWatchBehindAReadEndSeesOnlyABreak) {
  if (!traits().drop_is_read || !traits().can_half_close) {
    GTEST_SKIP() << "not promised by this link";
  }
  far->finish();
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->end() != nullptr; }));
  near->link().watch(near->watching.completion);
  lab.run_some(20);
  EXPECT_FALSE(near->watching.done());
  far->drop();
  ASSERT_TRUE(run_until([&] { return near->watching.done(); }));
  EXPECT_EQ(near->watching.result(), 0);
}

TEST_P(LinkSuite, ACancelledWatchLeavesTheLinkReadable) {
  near->link().watch(near->watching.completion);
  lab.run_some(3);
  near->link().cancel(near->watching.completion);
  ASSERT_TRUE(run_until([&] { return near->watching.done(); }));
  EXPECT_EQ(near->watching.result(), -ECANCELED);
  far->write_to(1'000);
  near->read_to();
  ASSERT_TRUE(run_until([&] { return near->bytes_read() == 1'000; }));
}

} // namespace
} // namespace culvert::test
