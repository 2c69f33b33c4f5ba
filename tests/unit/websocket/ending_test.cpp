// What a WebSocket link writes, how it pings, and the order of its endings.
#include "link/websocket.hpp"

#include "unit/websocket/raw_peer.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert::test {
namespace {

std::unique_ptr<Bench> make(WebSocketRole role, std::uint32_t ping_interval_ms = 0,
                            bool tcp = false) {
  auto bench = std::make_unique<Bench>(make_sim_world(), tcp);
  bench->link =
      std::make_unique<WebSocketLink>(bench->lab.shard(), std::move(bench->below),
                                      WebSocketOptions{role, false, {ping_interval_ms, true}});
  return bench;
}

constexpr WebSocketRole kServer = WebSocketRole::kServer;
constexpr WebSocketRole kClient = WebSocketRole::kClient;

TEST(WebSocketSend, OneFrameAChunkAndTheFirstNamesTheKind) {
  for (const bool tcp : {false, true}) {
    for (const WebSocketRole role : {kServer, kClient}) {
      auto bench = make(role, 0, tcp);
      bench->send("one", ChunkKind::kText, false);
      bench->send("two", ChunkKind::kText, false);
      bench->send("", ChunkKind::kText, true);
      bench->send("three");
      ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 4; }));
      const bool masked = role == kClient;
      const auto frames = bench->frames();
      EXPECT_EQ(frames[0], (ReadFrame{0x01, masked, "one"}));
      EXPECT_EQ(frames[1], (ReadFrame{0x00, masked, "two"}));
      EXPECT_EQ(frames[2], (ReadFrame{0x80, masked, ""}));
      EXPECT_EQ(frames[3], (ReadFrame{0x82, masked, "three"}));
    }
  }
}

TEST(WebSocketSend, ALargeChunkIsSplitAndNoFrameIsLongerThanPromised) {
  for (const WebSocketRole role : {kServer, kClient}) {
    auto bench = make(role);
    const std::size_t largest = bench->link->facts().largest_first_frame;
    EXPECT_EQ(largest, role == kClient ? kLargestMaskedFrame : kLargestUnmaskedFrame);
    std::string text(100'000, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) {
      text[i] = static_cast<char>(i * 7 / 5);
    }
    // With headroom, so that headers are written over bytes that have left.
    std::vector<std::byte> room(kHeadroom + text.size());
    std::memcpy(room.data() + kHeadroom, text.data(), text.size());
    bench->link->send({room.data() + kHeadroom, text.size(), kHeadroom, ChunkKind::kText, true});
    bench->link->flush();
    const std::size_t count = (text.size() + largest - 1) / largest;
    ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == count; }));
    std::string joined;
    for (const ReadFrame &one : bench->frames()) {
      EXPECT_LE(one.payload.size(), largest);
      EXPECT_EQ(one.first, (joined.empty() ? 0x01U : 0x00U) |
                               (joined.size() + one.payload.size() == text.size() ? 0x80U : 0U));
      joined += one.payload;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(WebSocketSend, EveryFrameHasAKeyOfItsOwn) {
  auto bench = make(kClient);
  bench->send(std::string(8, '\0'));
  bench->send(std::string(8, '\0'));
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->bytes.size() == 28; }));
  const Bytes &bytes = bench->reader->bytes;
  EXPECT_FALSE(std::equal(bytes.begin() + 2, bytes.begin() + 6, bytes.begin() + 16));
}

TEST(WebSocketEnding, FinishWritesACloseAndTheOtherDirectionGoesOn) {
  auto bench = make(kServer);
  bench->read();
  Event finished;
  bench->link->finish(Ending::finished(4321, "done"), finished.completion);
  ASSERT_TRUE(bench->run_until([&] { return finished.done(); }));
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
  EXPECT_EQ(bench->frames()[0].first, 0x88U);
  EXPECT_EQ(bench->frames()[0].payload, "\x10\xE1"
                                        "done");
  bench->send("too late");
  bench->write(frame(0x82, "still", true) + frame(0x89, "no pong now", true));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 1; }));
  bench->write(close_frame(1001, "Shutdown", true));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  EXPECT_EQ(bench->under_test->end()->code, 1001);
  EXPECT_EQ(bench->frames().size(), 1U);
}

TEST(WebSocketEnding, TheAnswerToACloseCarriesItsOwnCode) {
  auto bench = make(kServer);
  bench->read();
  bench->write(close_frame(1013, "later", true));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  bench->send("on the way out"); // our direction goes on until our own finish
  Event finished;
  bench->link->finish(Ending::finished(4000, "other"), finished.completion);
  ASSERT_TRUE(bench->run_until([&] { return finished.done() && bench->frames().size() == 2; }));
  EXPECT_EQ(bench->frames()[0].payload, "on the way out");
  EXPECT_EQ(bench->frames()[1].payload, "\x03\xF5");
}

TEST(WebSocketEnding, TheServerEndsTheConnectionOnceCloseHasGoneBothWays) {
  auto bench = make(kServer);
  bench->read();
  bench->write(close_frame(1000, "", true));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  Event closed;
  bench->link->close(closed.completion);
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->end() != nullptr; }));
  EXPECT_FALSE(bench->reader->end()->aborted);
  EXPECT_EQ(bench->frames()[0].payload, "\x03\xE8");
  EXPECT_FALSE(closed.done()) << "the socket below lingers until the client's end";
  Event peer_closed;
  bench->peer->finish(Ending::finished(), peer_closed.completion);
  ASSERT_TRUE(bench->ended(closed));
  EXPECT_EQ(closed.result(), 0);
}

TEST(WebSocketEnding, TheClientWaitsForTheServersEnd) {
  for (const bool server_ends : {true, false}) {
    auto bench = make(kClient);
    Io &io = bench->lab.shard().io;
    const std::uint64_t start = io.now_ns();
    Event closed;
    Event finished;
    bench->link->close(closed.completion);
    bench->write(close_frame(1000, "", false));
    if (server_ends) {
      bench->peer->finish(Ending::finished(), finished.completion);
    }
    ASSERT_TRUE(bench->run_until([&] { return bench->reader->end() != nullptr; }));
    EXPECT_FALSE(bench->reader->end()->aborted);
    EXPECT_EQ(io.now_ns() - start >= ShardLimits{}.linger_ms * 1'000'000, !server_ends);
    ASSERT_TRUE(bench->ended(closed));
    EXPECT_EQ(closed.result(), 0);
  }
}

TEST(WebSocketEnding, ACloseNobodyAnswersIsOverAfterTheLinger) {
  for (const WebSocketRole role : {kServer, kClient}) {
    auto bench = make(role);
    Io &io = bench->lab.shard().io;
    const std::uint64_t start = io.now_ns();
    Event closed;
    bench->link->close(closed.completion);
    ASSERT_TRUE(bench->run_until([&] { return bench->reader->end() != nullptr; }));
    EXPECT_GE(io.now_ns() - start, ShardLimits{}.linger_ms * 1'000'000);
    EXPECT_LT(io.now_ns() - start, 2 * ShardLimits{}.linger_ms * 1'000'000);
    ASSERT_TRUE(bench->ended(closed));
  }
}

TEST(WebSocketEnding, AfterAnErrorCloseTheServerWaitsForTheClientsCloseOrOneSecond) {
  for (const bool answered : {false, true}) {
    auto bench = make(kServer);
    bench->read();
    bench->write(frame(0xF3, std::string(300, 'x'), true));
    ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
    Io &io = bench->lab.shard().io;
    const std::uint64_t start = io.now_ns();
    Event aborted;
    bench->link->abort(aborted.completion);
    ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
    EXPECT_EQ(bench->frames()[0].payload, "\x03\xEA");
    if (answered) {
      bench->write(frame(0x82, "still under way", true) + close_frame(1002, "", true));
    }
    ASSERT_TRUE(bench->run_until([&] { return bench->reader->end() != nullptr; }));
    const std::uint64_t waited = io.now_ns() - start;
    if (answered) {
      EXPECT_LT(waited, ShardLimits{}.error_close_ms * 1'000'000);
    } else {
      EXPECT_GE(waited, ShardLimits{}.error_close_ms * 1'000'000);
      EXPECT_LT(waited, 2 * ShardLimits{}.error_close_ms * 1'000'000);
    }
    ASSERT_TRUE(bench->ended(aborted));
  }
}

TEST(WebSocketEnding, AnAbortIsAnEndWithoutClose) {
  auto bench = make(kServer, 0, true);
  bench->send("before");
  Event aborted;
  bench->link->abort(aborted.completion);
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->end() != nullptr; }));
  ASSERT_EQ(bench->frames().size(), 1U);
  EXPECT_EQ(bench->frames()[0].payload, "before");
  EXPECT_FALSE(bench->reader->end()->aborted) << "never a reset: it would destroy unread bytes";
  ASSERT_TRUE(bench->ended(aborted));
}

TEST(WebSocketEnding, AFinishBeforeAnAbortIsStillWritten) {
  auto bench = make(kServer);
  Event finished;
  Event aborted;
  bench->link->finish(Ending::finished(1000), finished.completion);
  bench->link->abort(aborted.completion);
  ASSERT_TRUE(bench->ended(aborted));
  EXPECT_EQ(finished.result(), 0);
  ASSERT_EQ(bench->frames().size(), 1U);
  EXPECT_EQ(bench->frames()[0].first, 0x88U);
}

TEST(WebSocketEnding, DropCompletesWhatIsArmedAtEveryStage) {
  for (int stage = 0; stage < 5; ++stage) {
    SCOPED_TRACE(stage);
    auto bench = make(kServer);
    Event received;
    Event drained;
    Event finished;
    Event ended;
    bench->link->receive(received.completion);
    if (stage >= 1) {
      bench->clog();
      bench->link->drain(drained.completion);
    }
    if (stage >= 2) {
      bench->link->finish(Ending::finished(), finished.completion);
    }
    if (stage == 3) {
      bench->link->close(ended.completion);
    } else if (stage == 4) {
      bench->link->abort(ended.completion);
    }
    Event dropped;
    bench->link->drop(dropped.completion);
    ASSERT_TRUE(bench->ended(dropped));
    EXPECT_EQ(received.result(), -ECANCELED);
    EXPECT_EQ(stage >= 1 ? drained.result() : -ECANCELED, -ECANCELED);
    EXPECT_EQ(stage >= 2 ? finished.result() : -ECANCELED, -ECANCELED);
    EXPECT_EQ(stage >= 3 ? ended.result() : -ECANCELED, -ECANCELED);
  }
}

TEST(WebSocketEnding, AnEndingWithoutProgressIsDropped) {
  auto bench = make(kServer);
  bench->clog();
  Event finished;
  Event closed;
  bench->link->finish(Ending::finished(), finished.completion);
  bench->link->close(closed.completion);
  ASSERT_TRUE(bench->ended(closed));
  EXPECT_EQ(closed.result(), -ETIMEDOUT);
  EXPECT_EQ(finished.result(), -ECANCELED);
}

TEST(WebSocketPing, AMissingPongAbortsOnlyWhileTheReceiveIsArmed) {
  auto bench = make(kClient, 1'000);
  // Not read: three intervals pass and nothing happens but pings.
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 3; }));
  EXPECT_EQ(bench->frames()[2].first, 0x89U);
  EXPECT_EQ(bench->link->received_end(), nullptr);
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  EXPECT_TRUE(bench->under_test->end()->aborted);
  EXPECT_EQ(bench->under_test->end()->status.code, Code::kTimeout);
  EXPECT_NE(bench->under_test->end()->status.message.find("pong"), std::string::npos);
}

TEST(WebSocketPing, APongIsAwaitedForLessThanALongInterval) {
  auto bench = make(kClient, 15'000);
  const std::uint64_t from_ns = bench->lab.shard().io.now_ns();
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  const std::uint64_t took_ms = (bench->lab.shard().io.now_ns() - from_ns) / 1'000'000U;
  EXPECT_EQ(took_ms, 15'000 + ShardLimits{}.pong_ms);
  EXPECT_EQ(bench->frames().size(), 1U);
}

/// A peer that reads slowly has a ping stand behind bytes that it leaves with its kernel.
TEST(WebSocketPing, ATunnelWaitsForNoPong) {
  auto bench = std::make_unique<Bench>();
  bench->link = std::make_unique<WebSocketLink>(bench->lab.shard(), std::move(bench->below),
                                                WebSocketOptions{kClient, false, {1'000, false}});
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 100; }));
  EXPECT_EQ(bench->under_test->end(), nullptr);
}

/// A control channel's peer reads: one that leaves bytes unread as long as a pong may take is gone.
TEST(WebSocketPing, AChannelIsGivenUpAlsoWhenItsPingCannotLeave) {
  auto bench = make(kServer, 15'000);
  bench->clog();
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  EXPECT_GT(bench->link->held(), 0U);
  EXPECT_TRUE(bench->under_test->end()->aborted);
  EXPECT_EQ(bench->under_test->end()->status.code, Code::kTimeout);
}

TEST(WebSocketPing, APongOrAnyOtherByteKeepsTheLinkAlive) {
  auto bench = make(kClient, 1'000);
  bench->read();
  std::size_t answered = 0;
  ASSERT_TRUE(bench->run_until([&] {
    const std::size_t pings = bench->frames().size();
    if (pings > answered) {
      answered = pings;
      bench->write(answered % 2 == 0 ? frame(0x8A, "", false) : frame(0x82, "x", false));
    }
    return answered == 10;
  }));
  EXPECT_EQ(bench->under_test->end(), nullptr);
}

} // namespace
} // namespace culvert::test
