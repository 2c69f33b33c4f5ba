// What a WebSocket link reads: rows after the public conformance suites, both roles.
#include "link/websocket.hpp"

#include "unit/websocket/raw_peer.hpp"

#include <cerrno>

namespace culvert::test {
namespace {

class WebSocketReceive : public testing::TestWithParam<WebSocketRole> {
protected:
  std::unique_ptr<Bench> make(bool check_utf8 = true) {
    auto bench = make_unread(check_utf8);
    bench->read();
    return bench;
  }
  std::unique_ptr<Bench> make_unread(bool check_utf8 = true) {
    auto bench = std::make_unique<Bench>();
    WebSocketOptions options;
    options.role = GetParam();
    options.check_utf8 = check_utf8;
    bench->link =
        std::make_unique<WebSocketLink>(bench->lab.shard(), std::move(bench->below), options);
    return bench;
  }
  [[nodiscard]] bool masked() const { return GetParam() == WebSocketRole::kServer; }
  [[nodiscard]] Bytes make_frame(unsigned first, std::string_view payload) const {
    return frame(first, payload, masked());
  }
  [[nodiscard]] Bytes make_close(unsigned code, std::string_view reason) const {
    return close_frame(code, reason, masked());
  }
};

std::string role_name(const testing::TestParamInfo<WebSocketRole> &info) {
  return info.param == WebSocketRole::kServer ? "Server" : "Client";
}

TEST_P(WebSocketReceive, MessagesOfEverySizeWholeAndInPieces) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 127UL, 128UL, 65535UL, 65536UL}) {
    for (const unsigned opcode : {1U, 2U}) {
      for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{997}}) {
        if (piece == 1 && size > 1000) {
          continue;
        }
        SCOPED_TRACE(std::to_string(size) + " in " + std::to_string(piece));
        auto bench = make();
        const std::string payload(size, '*');
        bench->write(make_frame(0x80 | opcode, payload) + make_frame(0x82, "behind"), piece);
        ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 2; }));
        EXPECT_EQ(bench->under_test->messages[0].first,
                  opcode == 1 ? ChunkKind::kText : ChunkKind::kBinary);
        EXPECT_EQ(bench->under_test->messages[0].second, payload);
        EXPECT_EQ(bench->under_test->messages[1].second, "behind");
        EXPECT_LE(bench->under_test->largest_chunk, kRecordBytes);
      }
    }
  }
}

TEST_P(WebSocketReceive, APieceIsHandedOnBeforeItsFrameIsWhole) {
  auto bench = make();
  Bytes whole = make_frame(0x82, std::string(1000, 'x'));
  const std::size_t header = whole.size() - 1000;
  bench->write(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(header + 10)));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->message.size() == 10; }));
  EXPECT_TRUE(bench->under_test->messages.empty());
}

TEST_P(WebSocketReceive, FragmentsWithControlFramesBetweenThem) {
  auto bench = make();
  bench->write(make_frame(0x01, "a") + make_frame(0x89, "one") + make_frame(0x00, "") +
               make_frame(0x00, "b") + make_frame(0x8A, "unasked") + make_frame(0x80, "") +
               make_frame(0x02, "") + make_frame(0x80, "c"));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 2; }));
  EXPECT_EQ(bench->under_test->messages[0], std::pair(ChunkKind::kText, std::string("ab")));
  EXPECT_EQ(bench->under_test->messages[1], std::pair(ChunkKind::kBinary, std::string("c")));
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
  EXPECT_EQ(bench->frames()[0], (ReadFrame{0x8A, !masked(), "one"}));
}

TEST_P(WebSocketReceive, PingsAreAnsweredWithTheirOwnPayloadInOrder) {
  std::vector<std::string> payloads = {"", "Hello, world!", std::string("\0\xff\xfe\xfd", 4),
                                       std::string(125, '\xfe')};
  for (int i = 0; i < 10; ++i) {
    payloads.push_back("payload-" + std::to_string(i));
  }
  for (const std::size_t piece : {SIZE_MAX, std::size_t{1}}) {
    auto bench = make();
    Bytes pings;
    for (const std::string &payload : payloads) {
      pings = pings + make_frame(0x89, payload);
    }
    bench->write(pings, piece);
    ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == payloads.size(); }));
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      EXPECT_EQ(bench->frames()[i], (ReadFrame{0x8A, !masked(), payloads[i]}));
    }
  }
}

/// Sends each chunk back as it comes, in the turn in which it came.
struct Echo {
  explicit Echo(Link &link_to_echo) : link(link_to_echo) {
    event.then = [this](int result) { on_receive(result); };
    link.receive(event.completion);
  }
  void on_receive(int result) {
    if (result != 0) {
      return;
    }
    Chunk chunk;
    Take how;
    how.keep = link.facts().gathers;
    while (link.take(chunk, how)) {
      link.send(chunk);
    }
    link.flush();
    if (link.received_end() == nullptr) {
      link.receive(event.completion);
    }
  }

  Link &link;
  Event event;
};

TEST_P(WebSocketReceive, APongIsNotOvertakenByDataThatIsSentBehindItsPing) {
  auto bench = make_unread();
  Echo echo(*bench->link);
  bench->write(make_frame(0x01, "be") + make_frame(0x89, "now") + make_frame(0x80, "hind"));
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 3; }));
  EXPECT_EQ(bench->frames()[0], (ReadFrame{0x01, !masked(), "be"}));
  EXPECT_EQ(bench->frames()[1], (ReadFrame{0x8A, !masked(), "now"}));
  EXPECT_EQ(bench->frames()[2], (ReadFrame{0x80, !masked(), "hind"}));
  Event dropped;
  bench->link->drop(dropped.completion);
  EXPECT_TRUE(bench->ended(dropped));
}

TEST_P(WebSocketReceive, AHeaderIsNotWrittenOverOneThatHasNotLeft) {
  Bench bench(make_sim_world(), true); // bare TCP keeps references until the turn's end
  WebSocketOptions options;
  options.role = GetParam();
  bench.link = std::make_unique<WebSocketLink>(bench.lab.shard(), std::move(bench.below), options);
  for (std::size_t i = 0; i < kGatherParts; ++i) {
    bench.link->send({nullptr, 0, 0, ChunkKind::kBinary, true});
  }
  std::string open = "x";
  bench.link->send({reinterpret_cast<std::byte *>(open.data()), 1, 0, ChunkKind::kText, false});
  bench.link->send({nullptr, 0, 0, ChunkKind::kText, true});
  bench.link->flush();
  ASSERT_TRUE(bench.run_until([&] { return bench.frames().size() == kGatherParts + 2; }));
  for (std::size_t i = 0; i < kGatherParts; ++i) {
    EXPECT_EQ(bench.frames()[i], (ReadFrame{0x82, !masked(), ""})) << i;
  }
  EXPECT_EQ(bench.frames()[kGatherParts], (ReadFrame{0x01, !masked(), "x"}));
  EXPECT_EQ(bench.frames()[kGatherParts + 1], (ReadFrame{0x80, !masked(), ""}));
}

TEST_P(WebSocketReceive, OfAFloodOfPingsTheLatestCounts) {
  auto bench = make();
  Bytes pings;
  for (int i = 0; i < 1000; ++i) {
    pings = pings + make_frame(0x89, std::string(100, 'x') + std::to_string(i));
  }
  bench->write(pings);
  ASSERT_TRUE(bench->run_until([&] {
    const auto frames = bench->frames();
    return !frames.empty() && frames.back().payload == std::string(100, 'x') + "999";
  }));
  EXPECT_LT(bench->frames().size(), 1000U);
}

TEST_P(WebSocketReceive, APongThatWaitsGoesAlongInAMove) {
  Bench bench(make_sim_world(), true);
  WebSocketOptions options;
  options.role = GetParam();
  bench.link = std::make_unique<WebSocketLink>(bench.lab.shard(), std::move(bench.below), options);
  bench.read();
  bench.clog();
  for (int i = 0; i < 20; ++i) { // until the peer's kernel is full, too
    bench.lab.run_some(100);
    while (bench.link->held() == 0) {
      bench.send(std::string(10'000, 'x'));
    }
  }
  bench.write(make_frame(0x89, "still here"));
  bench.lab.run_some(100); // it is read, and its pong waits behind what is held
  bench.under_test->stopped = true;
  bench.link->cancel(bench.under_test->event.completion);
  ASSERT_TRUE(bench.run_until([&] { return bench.under_test->event.done(); }));
  ASSERT_GT(bench.link->held(), 0U);
  Event drained;
  drained.then = [&](int) {
    bench.link->leave();
    bench.link->arrive(bench.lab.other_shard());
  };
  bench.link->drain(drained.completion);
  bench.link->cancel(drained.completion);
  ASSERT_TRUE(bench.run_until([&] { return drained.done(); }));
  EXPECT_EQ(drained.result(), -ECANCELED);
  bench.reader->stopped = false;
  bench.peer->receive(bench.reader->event.completion);
  ASSERT_TRUE(bench.run_until([&] {
    const std::vector<ReadFrame> frames = bench.frames();
    return !frames.empty() && frames.back() == ReadFrame{0x8A, !masked(), "still here"};
  }));
}

TEST_P(WebSocketReceive, BreachesAreAnswered1002AndReadAsAborted) {
  struct Row {
    std::string what;
    Bytes bytes;
  };
  std::vector<Row> rows = {
      {"ping of 126", make_frame(0x89, std::string(126, 'x'))},
      {"fragmented ping", make_frame(0x09, "x")},
      {"continuation without start", make_frame(0x80, "x")},
      {"text inside text", make_frame(0x01, "a") + make_frame(0x81, "b")},
      {"wrong mask", frame(0x81, "x", !masked())},
      {"close of one byte", make_frame(0x88, "x")},
      {"close of 126", make_frame(0x88, std::string(126, 'x'))},
  };
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    rows.push_back({"opcode " + std::to_string(opcode), make_frame(0x80 | opcode, "")});
    rows.push_back({"opcode with payload", make_frame(0x80 | opcode, "x")});
  }
  for (const unsigned bits : {0x10U, 0x20U, 0x30U, 0x40U, 0x50U, 0x60U, 0x70U}) {
    rows.push_back({"reserved bits", make_frame(0x81 | bits, "x")});
    rows.push_back({"reserved bits of a ping", make_frame(0x89 | bits, "x")});
    rows.push_back({"reserved bits of a close", make_frame(0x88 | bits, "")});
  }
  const unsigned illegal[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535};
  for (const unsigned code : illegal) {
    rows.push_back({"close " + std::to_string(code), make_close(code, "")});
  }
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    auto bench = make();
    bench->write(make_frame(0x82, "before") + row.bytes + make_frame(0x82, "after"));
    ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
    EXPECT_TRUE(bench->under_test->end()->aborted);
    EXPECT_EQ(bench->under_test->end()->status.code, Code::kProtocol);
    EXPECT_EQ(bench->under_test->messages.size(), 1U);
    EXPECT_TRUE(bench->link->broken());
    ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
    EXPECT_EQ(bench->frames()[0], (ReadFrame{0x88, !masked(), "\x03\xEA"}));
  }
}

TEST_P(WebSocketReceive, TextThatIsNoUtf8IsAnswered1007AtTheFirstImpossibleByte) {
  struct Row {
    const char *what;
    std::vector<std::pair<unsigned, std::string>> frames; // the last one is never finished
    bool fails;
  };
  const std::vector<Row> rows = {
      {"valid over fragments", {{0x01, "\xCE"}, {0x00, "\xBA\xE1\xBD"}, {0x80, "\xB9"}}, false},
      {"one bad byte", {{0x81, "\xFF"}}, true},
      {"bad in a second fragment", {{0x01, "\xCE\xBA"}, {0x00, "\xED\xA0"}}, true},
      {"unfinished at the end", {{0x01, "\xCE\xBA"}, {0x80, "\xF0\x90\x80"}}, true},
      {"unfinished and empty end", {{0x01, "\xCE"}, {0x80, ""}}, true},
      {"bad bytes in a binary message", {{0x82, "\xFF"}}, false},
      {"a control frame inside a character",
       {{0x01, "\xCE"}, {0x89, "\xFF"}, {0x80, "\xBA"}},
       false},
  };
  for (const Row &row : rows) {
    SCOPED_TRACE(row.what);
    auto bench = make();
    for (const auto &[first, payload] : row.frames) {
      bench->write(make_frame(first, payload), 1);
    }
    if (!row.fails) {
      ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 1; }));
      continue;
    }
    ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
    EXPECT_EQ(bench->frames()[0].payload, "\x03\xEF");
    EXPECT_TRUE(bench->under_test->end()->aborted);
  }
  // Fail fast: the frame promises more than has come.
  auto bench = make();
  Bytes whole = make_frame(0x81, "\xF4\x90" + std::string(1000, 'x'));
  bench->write(Bytes(whole.begin(), whole.end() - 1000));
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  // And where nobody asked for the check, text is bytes.
  auto trusting = make(false);
  trusting->write(make_frame(0x81, "\xFF\xFE"));
  ASSERT_TRUE(trusting->run_until([&] { return trusting->under_test->messages.size() == 1; }));
}

TEST_P(WebSocketReceive, CloseIsHandedOnWithCodeAndReason) {
  struct Row {
    Bytes bytes;
    unsigned code;
    std::string reason;
  };
  std::vector<Row> rows = {
      {make_frame(0x88, ""), 0, ""},
      {make_close(1000, "Hello World!"), 1000, "Hello World!"},
      {make_close(1000, std::string(123, '*')), 1000, std::string(123, '*')},
      {make_close(1012, "restart"), 1011, "restart"},
      {make_close(1013, ""), 1011, ""},
      {make_close(1014, ""), 1011, ""},
  };
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 3000U,
                              3999U, 4000U, 4999U}) {
    rows.push_back({make_close(code, "x"), code, "x"});
  }
  for (const Row &row : rows) {
    SCOPED_TRACE(row.code);
    auto bench = make();
    bench->write(row.bytes + make_frame(0x82, "too late") + make_frame(0x89, "too late"));
    ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
    EXPECT_FALSE(bench->under_test->end()->aborted);
    EXPECT_EQ(bench->under_test->end()->code, row.code);
    EXPECT_EQ(bench->under_test->end()->reason, row.reason);
    EXPECT_TRUE(bench->under_test->messages.empty());
    EXPECT_FALSE(bench->link->broken());
  }
}

TEST_P(WebSocketReceive, ACloseReasonThatIsNoUtf8IsAnswered1007) {
  auto bench = make(false);
  bench->write(make_close(1000, "\xCE\xBA\xED\xA0\x80"));
  ASSERT_TRUE(bench->run_until([&] { return bench->frames().size() == 1; }));
  EXPECT_EQ(bench->frames()[0].payload, "\x03\xEF");
  EXPECT_TRUE(bench->under_test->end()->aborted);
}

TEST_P(WebSocketReceive, AMessageOf16MebibytesIn65536Fragments) {
  auto bench = make();
  const std::string piece(256, 'm');
  Bytes block;
  for (unsigned i = 0; i < 65536; ++i) {
    block = std::move(block) + make_frame((i == 0 ? 2U : 0U) | (i == 65535 ? 0x80U : 0U), piece);
    if (block.size() > 100'000 || i == 65535) {
      bench->write(std::move(block));
      block = {};
      if (i < 65535) {
        ASSERT_TRUE(bench->run_until(
            [&] { return bench->under_test->message.size() == (i + 1) * piece.size(); }));
      }
    }
  }
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->messages.size() == 1; }));
  EXPECT_EQ(bench->under_test->messages[0].second.size(), 16U * 1024 * 1024);
}

TEST_P(WebSocketReceive, AnEndWithoutCloseIsAnAbort) {
  auto bench = make();
  Event finished;
  bench->write(make_frame(0x82, "all of it"));
  bench->peer->finish(Ending::finished(), finished.completion);
  ASSERT_TRUE(bench->run_until([&] { return bench->under_test->end() != nullptr; }));
  EXPECT_TRUE(bench->under_test->end()->aborted);
  EXPECT_EQ(bench->under_test->end()->status.code, Code::kTruncated);
  EXPECT_EQ(bench->under_test->messages.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Role, WebSocketReceive,
                         testing::Values(WebSocketRole::kServer, WebSocketRole::kClient),
                         role_name);

} // namespace
} // namespace culvert::test
