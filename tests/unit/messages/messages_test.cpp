// Whole messages behind a 16-bit length: borders, bounds, pings, endings, moves.
#include "link/messages.hpp"

#include "unit/websocket/raw_peer.hpp"

namespace culvert::test {
namespace {

Bytes message(std::string_view text) {
  return Bytes{static_cast<std::byte>(text.size() >> 8U), static_cast<std::byte>(text.size())} +
         to_bytes(text);
}

std::unique_ptr<Bench> make(std::size_t largest = 0, std::uint32_t ping_interval_ms = 0) {
  auto bench = std::make_unique<Bench>();
  FramingOptions options;
  options.framing = Framing::kMessages;
  options.largest_message = largest;
  options.ping_interval_ms = ping_interval_ms;
  options.awaits_pong = true;
  options.ping = "ping?";
  options.pong = "pong!";
  bench->link =
      std::make_unique<MessagesLink>(bench->lab.shard(), std::move(bench->below), options);
  return bench;
}

TEST(MessagesLink, HandsOutWholeMessagesWhateverTheSplit) {
  const std::vector<std::string> texts = {"a", std::string(255, 'b'),   std::string(256, 'c'),
                                          "d", std::string(65535, 'e'), "f"};
  Bytes stream;
  for (const std::string &text : texts) {
    stream = stream + message(text);
  }
  for (const bool keep : {false, true}) {
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
      SCOPED_TRACE(piece);
      auto bench = make();
      bench->read();
      bench->under_test->how.keep = keep;
      bench->under_test->how.chunk_bytes = 1000;
      bench->write(piece == 1 ? message("a") + message("bb") : stream, piece);
      const std::size_t count = piece == 1 ? 2 : texts.size();
      ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == count; }));
      for (std::size_t i = 0; piece != 1 && i < count; ++i) {
        EXPECT_EQ(bench->under_test->messages[i].second, texts[i]);
      }
      EXPECT_EQ(bench->under_test->chunks, count);
      EXPECT_EQ(bench->lab.shard().held.held(), 0U);
    }
  }
}

TEST(MessagesLink, CountsAMessageUnderWayAndMovesWithIt) {
  auto bench = make();
  bench->read();
  bench->under_test->stopped = true;
  const Bytes bytes = message(std::string(1000, 'm'));
  bench->write(Bytes(bytes.begin(), bytes.begin() + 500));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->event.done(); }));
  EXPECT_EQ(bench->lab.shard().held.held(), 1000U);
  Shard &other = bench->lab.other_shard();
  bench->link->leave();
  EXPECT_EQ(bench->lab.shard().held.held(), 0U);
  bench->link->arrive(other);
  EXPECT_EQ(other.held.held(), 1000U);
  bench->write(Bytes(bytes.begin() + 500, bytes.end()));
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 1; }));
  EXPECT_EQ(bench->under_test->messages[0].second, std::string(1000, 'm'));
  EXPECT_EQ(other.held.held(), 0U);
}

TEST(MessagesLink, AnswersPingsAndSwallowsPongs) {
  auto bench = make();
  bench->read();
  bench->write(message("ping?") + message("pong!") + message("ping") + message("ping?x"));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 2; }));
  EXPECT_EQ(bench->under_test->messages[0].second, "ping");
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->bytes == message("pong!"); }));
}

TEST(MessagesLink, PingsAndMissesThePong) {
  auto bench = make(0, 1'000);
  bench->read();
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->bytes == message("ping?"); }));
  bench->write(message("pong!"));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  EXPECT_EQ(bench->under_test->end()->status.code, Code::kTimeout);
  EXPECT_EQ(bench->reader->bytes, message("ping?") + message("ping?"));
}

TEST(MessagesLink, RefusesEmptyAndOverlongMessages) {
  struct Row {
    Bytes bytes;
    Code code;
  };
  const Row rows[] = {{Bytes(2), Code::kProtocol},
                      {message(std::string(101, 'x')), Code::kTooLarge},
                      {Bytes(1, std::byte{0xFF}) + Bytes(1, std::byte{0xFF}), Code::kTooLarge}};
  for (const Row &row : rows) {
    auto bench = make(100);
    EXPECT_EQ(bench->link->facts().largest_first_frame, 100U);
    bench->read();
    bench->write(message(std::string(100, 'x')) + row.bytes + message("after"));
    ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
    EXPECT_TRUE(bench->under_test->end()->aborted);
    EXPECT_EQ(bench->under_test->end()->status.code, row.code);
    EXPECT_EQ(bench->under_test->messages.size(), 1U);
  }
}

TEST(MessagesLink, EndsFinishedBetweenMessagesAndAbortedInsideOne) {
  const Bytes whole = message("whole");
  for (std::size_t size = whole.size(); size <= 2 * whole.size(); ++size) {
    SCOPED_TRACE(size);
    auto bench = make();
    bench->read();
    const Bytes twice = whole + whole;
    bench->write(Bytes(twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(size)));
    Event finished;
    bench->peer->finish(Ending::finished(), finished.completion);
    ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
    EXPECT_EQ(bench->under_test->end()->aborted, size % whole.size() != 0);
  }
}

TEST(MessagesLink, SendsEachChunkAsOneMessage) {
  auto bench = make();
  bench->send("one");
  bench->send(std::string(40'000, 'y'));
  const Bytes expected = message("one") + message(std::string(40'000, 'y'));
  ASSERT_TRUE(bench->run_until([&] { return bench->reader->bytes.size() == expected.size(); }));
  EXPECT_EQ(bench->reader->bytes, expected);
  Event finished;
  bench->link->finish(Ending::finished(), finished.completion);
  ASSERT_TRUE(bench->run_until([&] { return finished.done() && bench->reader->end(); }));
  EXPECT_FALSE(bench->reader->end()->aborted);
}

} // namespace
} // namespace culvert::test
