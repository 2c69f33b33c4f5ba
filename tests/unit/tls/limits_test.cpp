#include "unit/tls/raw_peer.hpp"

#include <algorithm>
#include <cerrno>
#include <malloc.h>

namespace culvert::test {
namespace {

// --- sessions to resume -------------------------------------------------------------------------

/// One connection to the kit's peer, on which the client reads one byte, so that it has a ticket.
bool resumes(LinkLab &lab, TlsKit &kit) {
  TlsPair pair(lab, kit, lab.tcp_pair());
  EXPECT_TRUE(pair.shake(lab));
  const bool resumed = pair.near->resumed();
  LinkUser near(std::move(pair.near), 1, 2);
  LinkUser far(std::move(pair.far), 2, 1);
  far.write_to(1);
  near.read_to();
  EXPECT_TRUE(lab.run_until([&] { return near.bytes_read() == 1; }));
  near.abort();
  far.abort();
  EXPECT_TRUE(lab.run_until([&] { return near.over() && far.over(); }));
  return resumed;
}

TEST(TlsSessions, AreBoundedAndTheLatestIsKept) {
  LinkLab lab(make_uring_world());
  TlsKit kit(lab.shard());
  for (std::size_t i = 0; i < kTlsSessions + 3; ++i) {
    kit.peer.port = static_cast<std::uint16_t>(1000 + i);
    EXPECT_FALSE(resumes(lab, kit));
    ASSERT_EQ(kit.client->session_count(), std::min(i + 1, kTlsSessions));
  }
  EXPECT_TRUE(resumes(lab, kit));
}

TEST(TlsSessions, EndWithTheLifeOfATicket) {
  LinkLab lab(make_sim_world()); // where hours pass at once
  TlsKit kit(lab.shard());
  EXPECT_FALSE(resumes(lab, kit));
  EXPECT_TRUE(resumes(lab, kit));
  for (const auto &[wait_s, resumed] :
       {std::pair{kTlsSessionSec - 60, true}, std::pair{kTlsSessionSec + 1, false}}) {
    struct Bell {
      void ring() { rung = true; }
      bool rung = false;
    } bell;
    Timer timer;
    timer.bind<&Bell::ring>(bell);
    lab.shard().io.arm_after_ms(timer, static_cast<std::uint64_t>(wait_s) * 1000);
    ASSERT_TRUE(lab.run_until([&] { return bell.rung; }));
    EXPECT_EQ(resumes(lab, kit), resumed) << wait_s;
  }
}

TEST(TlsSessions, AClientThatMayNotResumeKeepsNone) {
  LinkLab lab(make_uring_world());
  TlsKit kit(lab.shard());
  kit.client_options.resume = false;
  kit.remake_client(lab.shard());
  EXPECT_FALSE(resumes(lab, kit));
  EXPECT_FALSE(resumes(lab, kit));
  EXPECT_EQ(kit.client->session_count(), 0U);
}

// --- hostile peers ------------------------------------------------------------------------------

TEST_F(RawTls, RenegotiationIsRefusedOnBothSides) {
  for (const bool our_server : {true, false}) {
    make(our_server,
         [](RawPeer &peer) { SSL_CTX_set_max_proto_version(peer.context, TLS1_2_VERSION); });
    ASSERT_EQ(shake(), 0);
    read();
    raw->write("before");
    ASSERT_TRUE(until([&] { return text == "before"; }));
    ASSERT_EQ(SSL_renegotiate(raw->ssl), 1);
    SSL_do_handshake(raw->ssl);
    raw->push();
    // OpenSSL takes the refusal for fatal and says so, which ends our side.
    ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
    EXPECT_TRUE(link->received_end()->aborted);
    EXPECT_EQ(text, "before");
    TearDown();
    text.clear();
    shaken.outcomes.clear();
    receiving.outcomes.clear();
  }
}

TEST(TlsWire, WhatWaitsForTheNextTurnIsBounded) {
  TlsWire wire;
  const std::string alerts(kTlsPendingBytes, 'a');
  const int size = static_cast<int>(alerts.size());
  EXPECT_EQ(BIO_write(wire.bio(), alerts.data(), size - 1), size - 1);
  EXPECT_FALSE(wire.overflowed());
  EXPECT_LT(BIO_write(wire.bio(), alerts.data(), 2), 0);
  EXPECT_EQ(BIO_should_retry(wire.bio()), 0); // final for libssl, too
  EXPECT_TRUE(wire.overflowed());
  std::vector<std::byte> turn(2 * kTlsPendingBytes);
  wire.open_turn(turn);
  EXPECT_EQ(wire.take_turn().size(), kTlsPendingBytes - 1);
  EXPECT_LT(BIO_write(wire.bio(), turn.data(), 2 * size + 1), 0); // nor more than a turn's buffer
}

void note_alert(const SSL *ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
    static_cast<std::vector<int> *>(SSL_get_app_data(ssl))->push_back(value & 0xFF);
  }
}

TEST_F(RawTls, ACorruptedRecordIsAnsweredWithBadRecordMac) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::vector<int> alerts;
    make(true, [&](RawPeer &peer) { SSL_CTX_set_max_proto_version(peer.context, version); });
    ASSERT_EQ(shake(), 0);
    SSL_set_app_data(raw->ssl, &alerts);
    SSL_set_info_callback(raw->ssl, &note_alert);
    read();
    std::string record("\x17\x03\x03\x00\x40", 5);
    record.append(64, 'x');
    raw->send_raw(record);
    ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
    link->abort(ended.completion);
    ASSERT_TRUE(until([&] { return raw->ended; }));
    EXPECT_EQ(alerts, std::vector<int>{SSL_AD_BAD_RECORD_MAC});
    TearDown();
    shaken.outcomes.clear();
    receiving.outcomes.clear();
    ended.outcomes.clear();
  }
}

TEST_F(RawTls, HttpAtATlsPortIsCalledThat) {
  make(true);
  link->handshake(shaken.completion);
  raw->send_raw("GET / HTTP/1.1\r\nHost: relay.test\r\n\r\n");
  ASSERT_TRUE(until([&] { return shaken.done(); }));
  EXPECT_EQ(link->failure().message, "TLS with a client failed: http request");
}

TEST_F(RawTls, AServerWithoutTlsIsCalledThat) {
  make(false);
  link->handshake(shaken.completion);
  raw->send_raw("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(until([&] { return shaken.done(); }));
  EXPECT_EQ(link->failure().message, "no TLS is spoken at relay.test:443: check the port");
}

// --- a peer that does not read, and one that says nothing ---------------------------------------

TEST(TlsStall, AnEndingBehindAPeerThatDoesNotReadIsDropped) {
  for (const bool clean : {true, false}) {
    LinkLab lab(make_sim_world());
    TlsKit kit(lab.shard());
    TlsPair pair(lab, kit, lab.tcp_pair());
    ASSERT_TRUE(pair.shake(lab));
    LinkUser near(std::move(pair.near), 1, 2);
    LinkUser far(std::move(pair.far), 2, 1);
    near.write_until_held();
    ASSERT_TRUE(lab.run_until([&] { return near->held() > 0; }));
    clean ? near.close() : near.abort();
    ASSERT_TRUE(lab.run_until([&] { return near.over(); }));
    EXPECT_EQ(near.ended.result(), -ETIMEDOUT);
    far.drop();
    ASSERT_TRUE(lab.run_until([&] { return far.over(); }));
  }
}

TEST(TlsMemory, AnIdleConnectionHoldsNoBuffers) {
  LinkLab lab(make_uring_world());
  TlsKit kit(lab.shard());
  std::vector<std::unique_ptr<TlsPair>> pairs;
  constexpr std::size_t kPairs = 40;
  std::size_t before = 0;
  for (std::size_t i = 0; i < kPairs + 1; ++i) {
    pairs.push_back(std::make_unique<TlsPair>(lab, kit, lab.tcp_pair()));
    ASSERT_TRUE(pairs.back()->shake(lab));
    before = i == 0 ? mallinfo2().uordblks : before; // what is made once has been made
  }
  const std::size_t each = (mallinfo2().uordblks - before) / (2 * kPairs);
  // 20 KB with OpenSSL 3.0, 53 where it keeps its buffers; sanitizers' allocators do not tell.
  EXPECT_LT(each, 36U * 1024);
  RecordProperty("bytes_of_an_idle_tls_link", static_cast<int>(each));
  for (auto &pair : pairs) {
    pair->drop(lab);
  }
}

} // namespace
} // namespace culvert::test
