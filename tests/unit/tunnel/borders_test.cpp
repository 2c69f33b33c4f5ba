// Messages and their borders, in tunnels whose second side is a WebSocket: none is made up, none is
// lost, and none has to fit into memory.
#include "unit/tunnel/tunnel_world.hpp"
#include "unit/websocket/raw_peer.hpp"

#include <algorithm>
#include <ostream>

namespace culvert::test {
namespace {

struct World {
  const char *name;
  std::unique_ptr<IoWorld> (*make)();
};

void PrintTo(const World &world, std::ostream *out) {
  *out << world.name;
}

class Borders : public testing::TestWithParam<World> {
protected:
  TunnelLab lab{GetParam().make()};
};

// --- from a byte stream -------------------------------------------------------------------------

/// What a sender and a listener do with an app's and a target's bytes, however these come and end.
TEST_P(Borders, ByteStreamsBecomeNoEmptyMessage) {
  for (const bool tcp_first : {true, false}) {
    TunnelLab::End tcp = lab.connect(SideKind::kTcp);
    TunnelLab::End carrier = lab.connect(SideKind::kWebSocketClient);
    LinkUser local(std::move(tcp.peer), 1, 2);
    LinkUser relay(std::move(carrier.peer), 2, 1);
    relay.message_bytes = 1; // its messages are noted; what it writes itself is of one byte each
    std::unique_ptr<Link> sides[]{std::move(tcp.tunnel_end), std::move(carrier.tunnel_end)};
    TunnelUnderTest under_test(lab.shard(), std::move(sides[tcp_first ? 0 : 1]),
                               std::move(sides[tcp_first ? 1 : 0]));
    under_test.tunnel->start();
    relay.read_to();
    local.read_to();
    std::size_t total = 0;
    for (const std::size_t size :
         {1UL, 2UL, 125UL, 126UL, kLargestMaskedFrame - 1, kLargestMaskedFrame,
          kLargestMaskedFrame + 1, 2 * kLargestMaskedFrame, kTurnBytes, 3 * kTurnBytes + 1}) {
      for (const std::size_t turn : {size, size / 2 + 1}) {
        total += size;
        local.turn_bytes = std::min(turn, kTurnBytes);
        local.write_to(total);
        ASSERT_TRUE(lab.run_until([&] { return relay.bytes_read() == total; }));
      }
    }
    local.finish();
    ASSERT_TRUE(lab.run_until([&] { return relay.end() != nullptr; }));
    EXPECT_FALSE(relay.end()->aborted);
    relay.write_to(1'000); // the half that is left
    ASSERT_TRUE(lab.run_until([&] { return local.bytes_read() == 1'000; }));
    EXPECT_GE(relay.messages.size(), 20U);
    std::size_t sum = 0;
    for (const auto &[kind, size] : relay.messages) {
      EXPECT_GT(size, 0U);
      EXPECT_LE(size, 32'768U); // aztunnel closes on a larger message
      EXPECT_EQ(kind, ChunkKind::kBinary);
      sum += size;
    }
    EXPECT_EQ(sum, total); // and the last one was whole
    local.close();
    relay.close();
    ASSERT_TRUE(lab.run_until([&] { return under_test.ended && local.over() && relay.over(); }));
    EXPECT_TRUE(local.intact() && relay.intact());
  }
}

// --- from messages ------------------------------------------------------------------------------

using Messages = std::vector<std::pair<ChunkKind, std::size_t>>;

constexpr std::size_t kLargestMessage = 300'000;

/// Of all sizes up to the largest, the small ones more often.
Messages random_messages(std::size_t count, std::uint64_t seed) {
  SeededRandom random(seed);
  Messages messages;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t most = std::min(kLargestMessage, std::size_t{1} << random.below(20));
    const ChunkKind kind = random.below(2) == 0 ? ChunkKind::kText : ChunkKind::kBinary;
    messages.emplace_back(kind, i % 100 == 99 ? kLargestMessage : random.below(most + 1));
  }
  return messages;
}

/// Writes the messages one after the other, a frame at a time, as fast as the link takes them.
class MessageWriter {
public:
  MessageWriter(Link &link, const Messages &messages, std::uint64_t seed)
      : link_(link), messages_(messages), seed_(seed), frame_(link.facts().largest_first_frame),
        buffer_(kHeadroom + frame_) {
    draining_.then = [this](int result) {
      if (result == 0) {
        write();
      }
    };
  }
  void write() {
    while (next_ < messages_.size() && !link_.broken()) {
      if (link_.held() > 0) {
        link_.drain(draining_.completion);
        return;
      }
      const auto [kind, size] = messages_[next_];
      const std::size_t piece = std::min(frame_, size - in_message_);
      fill_coded({buffer_.data() + kHeadroom, piece}, seed_, written_);
      written_ += piece;
      in_message_ += piece;
      const bool last = in_message_ == size;
      link_.send({buffer_.data() + kHeadroom, piece, kHeadroom, kind, last});
      link_.flush();
      if (last) {
        in_message_ = 0;
        ++next_;
      }
    }
  }
  [[nodiscard]] bool done() const { return next_ == messages_.size(); }

private:
  Link &link_;
  const Messages &messages_;
  const std::uint64_t seed_;
  const std::size_t frame_;
  std::vector<std::byte> buffer_;
  std::size_t next_ = 0;
  std::size_t in_message_ = 0;
  std::size_t written_ = 0;
  Event draining_;
};

TEST_P(Borders, AThousandMessagesCrossARelayAsTheyAre) {
  TunnelLab::End up = lab.connect(SideKind::kWebSocketServer);
  TunnelLab::End down = lab.connect(SideKind::kWebSocketServer);
  LinkUser sender(std::move(up.peer), 1, 2);
  LinkUser listener(std::move(down.peer), 2, 1);
  sender.message_bytes = listener.message_bytes = 1; // what they read is noted
  TunnelUnderTest under_test(lab.shard(), std::move(up.tunnel_end), std::move(down.tunnel_end));
  under_test.tunnel->start();
  sender.read_to();
  listener.read_to();
  const Messages there = random_messages(1'000, 11);
  const Messages back = random_messages(100, 12);
  MessageWriter from_sender(sender.link(), there, 1);
  MessageWriter from_listener(listener.link(), back, 2);
  from_sender.write();
  from_listener.write();
  EXPECT_TRUE(lab.run_until([&] {
    return listener.messages.size() == there.size() && sender.messages.size() == back.size();
  }));
  EXPECT_TRUE(listener.messages == there);
  EXPECT_TRUE(sender.messages == back);
  sender.close();
  listener.close();
  ASSERT_TRUE(lab.run_until([&] { return under_test.ended && sender.over() && listener.over(); }));
  EXPECT_TRUE(sender.intact() && listener.intact());
}

// --- from one frame -----------------------------------------------------------------------------

/// One frame of 32 MiB, written and read in pieces: what a tunnel holds of it is bounded, and it
/// does not wait for the rest of it.
TEST_P(Borders, AFrameLargerThanAnyBufferFlowsThrough) {
  constexpr std::size_t kFrame = 32 * kMegabyte;
  LinkPair up = lab.tcp_pair();
  LinkPair down = lab.tcp_pair();
  const auto framed = [&](std::unique_ptr<Link> &below, WebSocketRole role) {
    return std::make_unique<WebSocketLink>(lab.shard(), std::move(below), WebSocketOptions{role});
  };
  TunnelUnderTest under_test(lab.shard(), framed(up.near, WebSocketRole::kServer),
                             framed(down.near, WebSocketRole::kServer));
  LinkUser raw(std::move(up.far), 1, 2);
  LinkUser listener(framed(down.far, WebSocketRole::kClient), 2, 1);
  listener.message_bytes = 1;
  listener.how.turn_bytes = 30'000; // slowly
  under_test.tunnel->start();

  Bytes head = frame(0x82, std::string(65'536, ' '), true);
  head.resize(14); // its key is the last four bytes of it, and zero: the payload is as it is
  for (int i = 0; i < 12; ++i) {
    head[2 + i] = static_cast<std::byte>(i < 8 ? kFrame >> (8 * (7 - i)) : 0);
  }
  raw->send({head.data(), head.size()});
  raw->flush();
  raw.write_to(100);
  listener.read_to();
  ASSERT_TRUE(lab.run_until([&] { return listener.bytes_read() > 0; }));
  EXPECT_EQ(raw.written(), 100U); // the first byte is out, and the last one is not even written
  raw.write_to(kFrame);
  std::size_t most = 0;
  ASSERT_TRUE(lab.run_until([&] {
    most = std::max(most, under_test.tunnel->held());
    return listener.bytes_read() == kFrame;
  }));
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, kTunnelHeldBytes);
  EXPECT_EQ(listener.messages, (Messages{{ChunkKind::kBinary, kFrame}}));
  raw.drop();
  listener.drop();
  under_test.tunnel->drop({});
  ASSERT_TRUE(lab.run_until([&] { return under_test.ended && raw.over() && listener.over(); }));
  EXPECT_TRUE(listener.intact());
}

INSTANTIATE_TEST_SUITE_P(Every, Borders,
                         testing::Values(World{"uring", &make_uring_world},
                                         World{"sim", &make_sim_world},
                                         World{"faulty", &make_faulty_sim_world}),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace culvert::test
