// The steps that read and write what a connection says first.
#include "link/head_reader.hpp"
#include "link/head_writer.hpp"

#include "unit/websocket/raw_peer.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

/// A step's single completion.
struct Done {
  Delegate<> delegate() { return Delegate<>::to<&Done::run>(*this); }
  void run() { ++count; }
  int count = 0;
};

const std::string kHead = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(HeadReader, StopsBehindTheHeadAndGivesTheRestBack) {
  for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{5}}) {
    Bench bench;
    bench.link = std::move(bench.below);
    HeadReader reader(*bench.link);
    Done done;
    reader.start(HeadForm::kHttp, done.delegate());
    bench.write(to_bytes(kHead + "the rest"), piece);
    ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
    EXPECT_TRUE(reader.status().ok());
    EXPECT_EQ(reader.bytes(), kHead);
    bench.read();
    ASSERT_TRUE(bench.run_until([&] { return bench.under_test->bytes.size() == 8; }));
    EXPECT_EQ(bench.under_test->bytes, to_bytes("the rest"));
  }
}

TEST(HeadReader, ReadsOneMessage) {
  Bench bench;
  bench.link = std::move(bench.below);
  HeadReader reader(*bench.link);
  Done done;
  reader.start(HeadForm::kMessage, done.delegate());
  bench.write(
      Bytes{std::byte{1}, std::byte{2}} + to_bytes(std::string(258, 'm')) + to_bytes("rest"), 3);
  ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
  EXPECT_EQ(reader.bytes(), std::string(258, 'm'));
  bench.read();
  ASSERT_TRUE(bench.run_until([&] { return bench.under_test->bytes.size() == 4; }));
}

TEST(HeadReader, SaysWhatWentWrong) {
  struct Row {
    const char *what;
    HeadForm form;
    std::string bytes;
    bool peer_ends;
    Code code;
    HeadFault fault;
  };
  const std::vector<Row> rows = {
      {"nothing", HeadForm::kHttp, "", true, Code::kTruncated, HeadFault::kNone},
      {"half a head", HeadForm::kHttp, "GET / HT", true, Code::kTruncated, HeadFault::kNone},
      {"half a message", HeadForm::kMessage, std::string("\0\5ab", 4), true, Code::kTruncated,
       HeadFault::kNone},
      {"an empty message", HeadForm::kMessage, std::string(2, '\0'), false, Code::kProtocol,
       HeadFault::kNone},
      {"a long message", HeadForm::kMessage, "\xA0\x01", false, Code::kTooLarge, HeadFault::kNone},
      {"garbage", HeadForm::kHttp, "\x16\x03\x01", false, Code::kProtocol, HeadFault::kMalformed},
      {"too long", HeadForm::kHttp, std::string(kHeadBytes + 1, 'x'), false, Code::kTooLarge,
       HeadFault::kTooLarge},
  };
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    Bench bench;
    bench.link = std::move(bench.below);
    HeadReader reader(*bench.link);
    Done done;
    Event finished;
    reader.start(row.form, done.delegate());
    if (!row.bytes.empty()) {
      bench.write(to_bytes(row.bytes));
    }
    if (row.peer_ends) {
      bench.peer->finish(Ending::finished(), finished.completion);
    }
    ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
    EXPECT_EQ(reader.status().code, row.code);
    EXPECT_EQ(static_cast<int>(reader.fault()), static_cast<int>(row.fault));
  }
}

TEST(HeadReader, CancelledEndsOnceAndLosesNothing) {
  Bench bench;
  bench.link = std::move(bench.below);
  HeadReader reader(*bench.link);
  Done done;
  reader.start(HeadForm::kHttp, done.delegate());
  reader.cancel();
  EXPECT_EQ(done.count, 0);
  ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
  EXPECT_EQ(reader.status().code, Code::kCancelled);
  reader.start(HeadForm::kHttp, done.delegate());
  bench.write(to_bytes(kHead));
  ASSERT_TRUE(bench.run_until([&] { return done.count == 2; }));
  EXPECT_EQ(reader.bytes(), kHead);
}

TEST(HeadWriter, IsDoneOnceTheKernelHasAllOfIt) {
  for (const bool tcp : {false, true}) {
    Bench bench(make_sim_world(), tcp);
    bench.link = std::move(bench.below);
    HeadWriter writer(*bench.link);
    Done done;
    std::string head = kHead;
    head.append(kAnswerBodyBytes, 'b');
    writer.start(HeadForm::kHttp, head, done.delegate());
    EXPECT_EQ(done.count, 0);
    ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
    EXPECT_TRUE(writer.status().ok());
    writer.start(HeadForm::kMessage, std::string(300, 'm'), done.delegate());
    const Bytes all =
        to_bytes(head) + Bytes{std::byte{1}, std::byte{44}} + to_bytes(std::string(300, 'm'));
    ASSERT_TRUE(bench.run_until([&] { return bench.reader->bytes.size() == all.size(); }));
    EXPECT_EQ(bench.reader->bytes, all);
    ASSERT_TRUE(bench.run_until([&] { return done.count == 2; }));
  }
}

TEST(HeadWriter, WaitsBehindWhatTheLinkHolds) {
  for (const bool tcp : {false, true}) {
    Bench bench(make_sim_world(), tcp);
    bench.link = std::move(bench.below);
    std::size_t before = 0;
    for (; bench.link->held() == 0; before += 10'000) {
      bench.send(std::string(10'000, 'x'));
    }
    HeadWriter writer(*bench.link);
    Done done;
    writer.start(HeadForm::kHttp, kHead, done.delegate());
    ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
    EXPECT_TRUE(writer.status().ok());
    const std::size_t all = before + kHead.size();
    ASSERT_TRUE(bench.run_until([&] { return bench.reader->bytes.size() == all; }));
    EXPECT_TRUE(std::equal(bench.reader->bytes.end() - static_cast<std::ptrdiff_t>(kHead.size()),
                           bench.reader->bytes.end(), to_bytes(kHead).begin()));
    EXPECT_EQ(done.count, 1);
  }
}

TEST(HeadWriter, IsCancelledWhileItWaitsBehindWhatTheLinkHolds) {
  Bench bench;
  bench.link = std::move(bench.below);
  bench.clog();
  HeadWriter writer(*bench.link);
  Done done;
  writer.start(HeadForm::kHttp, kHead, done.delegate());
  writer.cancel();
  ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
  EXPECT_EQ(writer.status().code, Code::kCancelled);
}

TEST(HeadWriter, ReportsABrokenLink) {
  Bench bench;
  bench.link = std::move(bench.below);
  Event dropped;
  bench.peer->drop(dropped.completion);
  ASSERT_TRUE(bench.run_until([&] { return dropped.done(); }));
  bench.peer.reset();
  HeadWriter writer(*bench.link);
  Done done;
  writer.start(HeadForm::kHttp, kHead, done.delegate());
  ASSERT_TRUE(bench.run_until([&] { return done.count == 1; }));
  EXPECT_FALSE(writer.status().ok());
}

} // namespace
} // namespace culvert::test
