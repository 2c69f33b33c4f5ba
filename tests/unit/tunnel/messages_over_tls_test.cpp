// The most that one turn can hand to a sink: a message and a record that began in earlier turns are
// completed by 256 KiB that arrive at once, while the sink takes next to nothing.
#include "link/messages.hpp"
#include "tunnel/tunnel.hpp"
#include "unit/tls/raw_peer.hpp"
#include "unit/tunnel/tunnel_world.hpp"

namespace culvert::test {
namespace {

constexpr std::size_t kPrefixBytes = 2;
constexpr std::size_t kRecordCost = 22;

class MessagesOverTls : public testing::Test {
protected:
  /// One record per call of SSL_write, with a message that fills it.
  void add_message(std::size_t size) {
    const std::string payload(size - kPrefixBytes, static_cast<char>('a' + expected.size() % 26));
    plain += static_cast<char>(payload.size() >> 8U);
    plain += static_cast<char>(payload.size() & 0xffU);
    plain += payload;
    expected += payload;
  }
  /// The ciphertext of what was added, in records as full as can be.
  std::string take_cipher() {
    SSL_write(raw->ssl, plain.data(), static_cast<int>(plain.size()));
    plain.clear();
    char *data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(raw->ssl), &data);
    std::string cipher(data, static_cast<std::size_t>(size));
    BIO_reset(SSL_get_wbio(raw->ssl));
    return cipher;
  }

  LinkLab lab{make_sim_world()};
  TlsKit kit{lab.shard()};
  std::string plain;
  std::string expected;
  std::unique_ptr<RawPeer> raw;
};

TEST_F(MessagesOverTls, CompletedByALargeTurnAreHeldWhole) {
  const Pair source = connected_pair(lab.world(), lab.shard().io);
  raw = std::make_unique<RawPeer>(lab.shard().io, source.server, false);
  raw->start();
  auto link = std::make_unique<TlsLink>(
      lab.shard(), std::make_unique<TcpLink>(lab.shard(), source.client), *kit.server);
  Event shaken;
  link->handshake(shaken.completion);
  ASSERT_TRUE(lab.run_until([&] {
    raw->pump();
    return shaken.done() && raw->shaken;
  }));
  const Pair sink = connected_pair(lab.world(), lab.shard().io);
  lab.shard().io.set_option(sink.client, SocketOption::kSendBuffer, 2'048);
  lab.shard().io.set_option(sink.server, SocketOption::kReceiveBuffer, 2'048);
  FramingOptions options;
  options.framing = Framing::kMessages;
  TunnelUnderTest under_test(lab.shard(),
                             std::make_unique<MessagesLink>(lab.shard(), std::move(link), options),
                             std::make_unique<TcpLink>(lab.shard(), sink.client));

  add_message(kRecordBytes); // fills the sink, so that the next turn waits and grows
  const std::size_t large = kPrefixBytes + UINT16_MAX;
  add_message(large);
  add_message(6 * kRecordBytes - kRecordBytes - large); // ends with the sixth record
  const std::string first = take_cipher();
  ASSERT_EQ(first.size(), 6 * (kRecordBytes + kRecordCost));
  raw->send_raw(std::string_view(first).substr(0, first.size() - 1));
  lab.run_some(100'000); // all of it is there before the first turn
  under_test.tunnel->start();
  ASSERT_TRUE(lab.run_until([&] { return under_test.tunnel->held() > 0; }));
  lab.run_some(100);

  std::size_t left = kTurnBytes - 1;
  for (; left > kRecordBytes + kRecordCost; left -= kRecordBytes + kRecordCost) {
    add_message(kRecordBytes);
  }
  add_message(left - kRecordCost);
  const std::string second = first.back() + take_cipher();
  ASSERT_EQ(second.size(), kTurnBytes);
  raw->send_raw(second);
  lab.run_some(100'000);

  std::string arrived;
  std::size_t most = 0;
  ASSERT_TRUE(lab.run_until([&] {
    receive_text(lab.shard().io, sink.server, arrived);
    most = std::max(most, under_test.tunnel->held());
    return arrived.size() >= expected.size();
  }));
  EXPECT_TRUE(arrived == expected);
  EXPECT_GT(most, kTurnBytes + kControlMessageBytes);
  EXPECT_LE(most, kDirectionHeldBytes);
  under_test.tunnel->drop({});
  ASSERT_TRUE(lab.run_until([&] { return under_test.ended; }));
  lab.shard().io.close(sink.server);
}

} // namespace
} // namespace culvert::test
