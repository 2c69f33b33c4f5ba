// How a tunnel ends: an end, both ends, an abort, a killed peer, a drop; both ways, over every pair
// of links, with all buffers full at the moment of the ending.
#include "unit/tunnel/tunnel_world.hpp"

#include <cerrno>

namespace culvert::test {
namespace {

using How = EndingRecord::How;

TEST_P(TunnelSuite, MegabytesCrossBothWaysAtOnce) {
  start();
  app->read_to();
  target->read_to();
  app->write_to(6 * kMegabyte + 7);
  target->write_to(4 * kMegabyte + 1);
  ASSERT_TRUE(run_until([&] {
    return target->bytes_read() == 6 * kMegabyte + 7 && app->bytes_read() == 4 * kMegabyte + 1;
  }));
  app->finish();
  target->finish();
  ASSERT_TRUE(run_until([&] { return app->end() != nullptr && target->end() != nullptr; }));
  close_users();
  EXPECT_EQ(under_test->record.how, How::kFinished);
  EXPECT_EQ(under_test->record.bytes_from_first, 6 * kMegabyte + 7);
  EXPECT_EQ(under_test->record.bytes_from_second, 4 * kMegabyte + 1);
}

TEST_P(TunnelSuite, AHalfCloseBehindMegabytesLeavesTheOtherDirection) {
  for_each_side([&](LinkUser &actor, LinkUser &reader) {
    start();
    fill(actor);
    actor.finish(Ending::finished(4'001, "that is all"));
    reader.read_to();
    ASSERT_TRUE(run_until([&] { return reader.end() != nullptr; }));
    EXPECT_FALSE(reader.end()->aborted) << reader.end()->status.message;
    EXPECT_EQ(reader.bytes_read(), actor.written());
    if (is_websocket(kind_of(reader))) {
      const bool carried = is_websocket(kind_of(actor));
      EXPECT_EQ(reader.end()->code, carried ? 4'001 : 1'000);
      EXPECT_EQ(reader.end()->reason, carried ? "that is all" : "");
    }
    reader.finish_after_write = true;
    reader.write_to(3 * kMegabyte);
    actor.read_to();
    ASSERT_TRUE(run_until([&] { return actor.end() != nullptr; }));
    EXPECT_FALSE(actor.end()->aborted);
    EXPECT_EQ(actor.bytes_read(), 3 * kMegabyte);
    if (is_websocket(kind_of(actor))) { // its own code comes back as the echo
      EXPECT_EQ(actor.end()->code, 4'001);
    }
    close_users();
    expect_record(How::kFinished, name_of(actor), {});
    const bool memory = kind_of(actor) == SideKind::kMemory;
    EXPECT_EQ(under_test->record.code, memory || is_websocket(kind_of(actor)) ? 4'001 : 0);
    EXPECT_EQ(recorded_from(actor), actor.written());
    EXPECT_EQ(recorded_from(reader), 3 * kMegabyte);
  });
}

TEST_P(TunnelSuite, BothFinishBehindMegabytesAtOnce) {
  start();
  fill(*app);
  fill(*target);
  app->finish();
  target->finish();
  app->read_to();
  target->read_to();
  ASSERT_TRUE(run_until([&] { return app->end() != nullptr && target->end() != nullptr; }));
  EXPECT_FALSE(app->end()->aborted || target->end()->aborted);
  EXPECT_EQ(app->bytes_read(), target->written());
  EXPECT_EQ(target->bytes_read(), app->written());
  close_users();
  EXPECT_EQ(under_test->record.how, How::kFinished);
}

TEST_P(TunnelSuite, AnAbortArrivesBehindMegabytesHoweverSlowTheReader) {
  for_each_side([&](LinkUser &actor, LinkUser &reader) {
    start();
    fill(actor);
    reader.write_to(40'000);
    actor.abort();
    ASSERT_TRUE(read_slowly(reader));
    EXPECT_TRUE(reader.end()->aborted);
    EXPECT_EQ(reader.bytes_read(), actor.written());
    reader.close();
    expect_record(How::kAborted, name_of(actor), source_of(actor));
    EXPECT_EQ(recorded_from(actor), actor.written());
  });
}

TEST_P(TunnelSuite, AKilledPeerReadsAsAbortedBehindWhatHadArrived) {
  for_each_side([&](LinkUser &actor, LinkUser &reader) {
    start();
    fill(actor);
    actor.drop();
    ASSERT_TRUE(read_slowly(reader));
    EXPECT_TRUE(reader.end()->aborted);
    EXPECT_GT(reader.bytes_read(), 0U);
    reader.close();
    expect_record(How::kAborted, name_of(actor), source_of(actor));
    // Nothing the tunnel took is lost on the way.
    EXPECT_EQ(recorded_from(actor), reader.bytes_read());
  });
}

/// The tunnel's send fails before its receive does: what the broken side had sent goes through.
TEST_P(TunnelSuite, AWriteSideBreakLosesNothingOfTheOtherDirection) {
  if (GetParam().first == SideKind::kMemory) {
    GTEST_SKIP() << "a memory link that was dropped reads as aborted before anything is sent";
  }
  for_each_side([&](LinkUser &actor, LinkUser &reader) {
    actor.write_to(40'000);
    reader.write_to(40'000);
    ASSERT_TRUE(run_until([&] { return actor.link().held() + reader.link().held() == 0; }));
    lab.run_some(moments(50));
    actor.drop();
    ASSERT_TRUE(run_until([&] { return actor.over(); }));
    lab.run_some(moments(50));
    start();
    ASSERT_TRUE(read_slowly(reader));
    EXPECT_TRUE(reader.end()->aborted);
    EXPECT_EQ(reader.bytes_read(), 40'000U);
    reader.close();
    expect_record(How::kAborted, name_of(actor), source_of(actor));
  });
}

/// Out of budget every direction goes on in the smallest turns, and holds no more than one.
TEST_P(TunnelSuite, ABudgetThatIsOutStopsNobodyWhoReads) {
  HeldBudget &budget = lab.shard().held;
  const std::size_t all = budget.available();
  budget.take(all);
  start();
  ASSERT_NO_FATAL_FAILURE(fill(*app));
  ASSERT_NO_FATAL_FAILURE(fill(*target));
  EXPECT_LE(under_test->tunnel->held(), 2 * kMinTurnHeldBytes);
  app->read_to();
  target->read_to();
  EXPECT_TRUE(run_until([&] {
    return target->bytes_read() == app->written() && app->bytes_read() == target->written();
  }));
  if (GetParam().first != SideKind::kMemory) { // there the users' bytes count on this shard, too
    EXPECT_LE(budget.peak(), all + 2 * kMinTurnHeldBytes);
  }
  budget.give(all);
}

TEST_P(TunnelSuite, BothPeersDieWhileBothDirectionsAreStuck) {
  start();
  fill(*app);
  fill(*target);
  lab.run_some(moments(50));
  app->drop();
  target->drop();
  ASSERT_TRUE(run_until([&] { return under_test->ended; }));
  EXPECT_EQ(under_test->record.how, How::kAborted);
  EXPECT_FALSE(under_test->record.status.ok());
}

TEST_P(TunnelSuite, AnAbortOfOursReachesBothSidesBehindWhatWasReceived) {
  start();
  fill(*app);
  fill(*target);
  under_test->tunnel->abort(
      Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "the test wants it"));
  app->read_to();
  target->read_to();
  ASSERT_TRUE(run_until([&] { return app->end() != nullptr && target->end() != nullptr; }));
  EXPECT_TRUE(app->end()->aborted && target->end()->aborted);
  app->abort();
  target->abort();
  expect_record(How::kAborted, "host", Source::kLocal);
  EXPECT_EQ(under_test->record.status.message, "the test wants it");
  EXPECT_EQ(under_test->record.bytes_from_first, target->bytes_read());
  EXPECT_EQ(under_test->record.bytes_from_second, app->bytes_read());
}

TEST_P(TunnelSuite, AnEndingThatStallsKeepsItsFirstReason) {
  if (!lab.virtual_time()) {
    GTEST_SKIP() << "takes ShardLimits{}.abort_stall_ms of real time";
  }
  start();
  fill(*app);
  under_test->tunnel->abort(
      Status::failure(Code::kReset, Source::kLocal, Retry::kNever, "the test wants it"));
  ASSERT_TRUE(run_until([&] { return under_test->ended; })); // nobody reads at the target
  EXPECT_EQ(under_test->record.how, How::kDropped);
  EXPECT_STREQ(under_test->record.by, "host");
  EXPECT_EQ(under_test->record.status.message,
            "the test wants it; its ending made no progress and was dropped");
}

TEST_P(TunnelSuite, ADropOrAbortAtAnyMomentLeavesNothingBehind) {
  const int rounds = lab.virtual_time() ? 40 : 15;
  for (int round = 0; round < rounds; ++round) {
    const std::size_t before = lab.random().below(moments(400));
    start();
    app->read_to();
    target->read_to();
    app->finish_after_write = lab.random().below(2) == 0;
    app->write_to(kMegabyte);
    target->finish_after_write = lab.random().below(2) == 0;
    target->write_to(kMegabyte / 2);
    lab.run_some(before);
    const auto act = lab.random().below(6);
    LinkUser &actor = lab.random().below(2) == 0 ? *app : *target;
    if (act == 0 && !under_test->ended) {
      under_test->tunnel->abort(
          Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "abort"));
    } else if (act == 1) {
      actor.drop();
    } else if (act == 2) {
      actor.abort();
    }
    lab.run_some(lab.random().below(moments(20)));
    if (act != 1 && !under_test->ended) {
      under_test->tunnel->drop(
          Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "drop"));
    }
    if (act == 1) { // both directions are read or written, so it is noticed
      ASSERT_TRUE(run_until([&] { return under_test->ended; })) << round;
    }
    ASSERT_NO_FATAL_FAILURE(end_all());
    ASSERT_NO_FATAL_FAILURE(connect());
  }
}

TEST_P(TunnelSuite, ADropBeforeTheStartAndRightBehindIt) {
  for (const bool started : {false, true}) {
    if (started) {
      start();
    }
    under_test->tunnel->drop(
        Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "too early"));
    expect_record(How::kDropped, "host", Source::kLocal);
    ASSERT_NO_FATAL_FAILURE(end_all());
    ASSERT_NO_FATAL_FAILURE(connect());
  }
}

INSTANTIATE_TEST_SUITE_P(Every, TunnelSuite, testing::ValuesIn(every_tunnel()), tunnel_kind_name);

} // namespace
} // namespace culvert::test
