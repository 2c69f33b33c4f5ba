#include "link/head_reader.hpp"

#include "unit/tls/raw_peer.hpp"

#include <cerrno>

namespace culvert::test {
namespace {

TEST_F(RawTls, VersionsAndGroupsOfOldAndPickyPeers) {
  struct Row {
    bool our_server;
    int version;
    const char *groups;
    const char *expected;
  };
  for (const Row &row : {Row{true, TLS1_2_VERSION, "X25519:P-256", "TLSv1.2"},
                         Row{true, TLS1_3_VERSION, "X25519", "TLSv1.3"},
                         Row{true, TLS1_3_VERSION, "secp384r1", "TLSv1.3"},
                         Row{true, TLS1_2_VERSION, "secp384r1:P-256", "TLSv1.2"},
                         Row{false, TLS1_2_VERSION, "X25519:P-256", "TLSv1.2"},
                         Row{false, TLS1_3_VERSION, "secp384r1", "TLSv1.3"}}) {
    make(row.our_server, [&](RawPeer &peer) {
      SSL_CTX_set_max_proto_version(peer.context, row.version);
      SSL_CTX_set1_groups_list(peer.context, row.groups);
    });
    ASSERT_EQ(shake(), 0) << link->failure().message;
    EXPECT_EQ(link->version(), row.expected);
    read();
    write("to you");
    link->flush();
    raw->write("to us");
    EXPECT_TRUE(until([&] { return raw->plain == "to you" && text == "to us"; }));
    TearDown();
    text.clear();
    shaken.outcomes.clear();
  }
}

TEST_F(RawTls, Tls11IsRefusedWithAnAlert) {
  make(true, [&](RawPeer &peer) {
    SSL_CTX_set_min_proto_version(peer.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(peer.context, TLS1_1_VERSION);
    SSL_CTX_set_security_level(peer.context, 0);
    SSL_CTX_set_cipher_list(peer.context, "ALL:@SECLEVEL=0");
  });
  EXPECT_EQ(shake(), -EPROTO);
  EXPECT_EQ(link->failure().code, Code::kTls);
}

TEST_F(RawTls, AForeignServerNameIsServed) {
  make(true);
  raw->start();
  SSL_set_tlsext_host_name(raw->ssl, "somewhere.else");
  EXPECT_EQ(shake(), 0);
}

TEST_F(RawTls, GarbageIsAnsweredWithAnAlertAndTheEnd) {
  struct Row {
    std::string bytes;
    bool alert; // libssl answers what is no record at all with silence
  };
  const std::string record("\x16\x03\x01\x00\x05hello", 10);
  for (const Row &row : {Row{"GET / HTTP/1.1\r\nHost: relay.test\r\n\r\n", false},
                         Row{record, true}, Row{std::string(64, '\xff'), false}}) {
    make(true);
    link->handshake(shaken.completion);
    raw->send_raw(row.bytes);
    ASSERT_TRUE(until([&] { return shaken.done(); }));
    EXPECT_EQ(shaken.result(), -EPROTO);
    EXPECT_EQ(link->failure().code, Code::kTls);
    link->abort(ended.completion);
    ASSERT_TRUE(until([&] { return raw->ended; }));
    EXPECT_FALSE(raw->reset);
    EXPECT_EQ(!raw->arrived.empty() && raw->arrived[0] == 21, row.alert) << row.bytes;
    TearDown();
    shaken.outcomes.clear();
    ended.outcomes.clear();
  }
}

TEST_F(RawTls, APeerThatDiesInMidHandshakeIsAFailureAtEveryPoint) {
  for (const std::size_t cut : {std::size_t{0}, std::size_t{3}, std::size_t{5}, std::size_t{90}}) {
    make(true);
    link->handshake(shaken.completion);
    RawPeer hello(lab.shard().io, {}, false);
    hello.start();
    SSL_do_handshake(hello.ssl);
    char *data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(hello.ssl), &data);
    ASSERT_GT(static_cast<std::size_t>(size), cut);
    if (cut > 0) {
      raw->send_raw({data, cut});
    }
    raw->end();
    ASSERT_TRUE(until([&] { return shaken.done(); }));
    EXPECT_EQ(shaken.result(), -ECONNRESET);
    EXPECT_EQ(link->failure().code, Code::kTruncated);
    TearDown();
    shaken.outcomes.clear();
  }
}

TEST_F(RawTls, AStreamWithoutCloseNotifyIsAborted) {
  make(true);
  ASSERT_EQ(shake(), 0);
  read();
  raw->write("half a message");
  raw->end();
  ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
  EXPECT_EQ(text, "half a message");
  EXPECT_TRUE(link->received_end()->aborted);
  EXPECT_EQ(link->received_end()->status.code, Code::kTruncated);
}

TEST_F(RawTls, BytesBehindCloseNotifyGoToTheLinkBelow) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    make(true, [&](RawPeer &peer) { SSL_CTX_set_max_proto_version(peer.context, version); });
    ASSERT_EQ(shake(), 0);
    read();
    raw->write("inside");
    SSL_shutdown(raw->ssl);
    raw->push();
    raw->send_raw("outside, early");
    ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
    EXPECT_EQ(text, "inside");
    EXPECT_FALSE(link->received_end()->aborted);
    finish();
    ASSERT_TRUE(until([&] { return (SSL_get_shutdown(raw->ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }));
    std::unique_ptr<Link> below = link->peel();
    ASSERT_NE(below, nullptr);
    link.reset();
    LinkUser user(std::move(below), 0, 0);
    std::string early;
    user.receiving.then = [&](int) {
      Chunk chunk;
      while (user.link().take(chunk, {})) {
        early.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
      }
    };
    user->receive(user.receiving.completion);
    ASSERT_TRUE(lab.run_until([&] { return user.receiving.done(); }));
    EXPECT_EQ(early, "outside, early");
    user.drop();
    ASSERT_TRUE(lab.run_until([&] { return user.over(); }));
    finished.outcomes.clear();
    shaken.outcomes.clear();
    text.clear();
  }
}

TEST_F(RawTls, AnAbortEndsWithoutCloseNotifyAndACloseWithIt) {
  for (const bool clean : {false, true}) {
    make(true);
    ASSERT_EQ(shake(), 0);
    write("last words");
    link->flush();
    clean ? link->close(ended.completion) : link->abort(ended.completion);
    ASSERT_TRUE(until([&] { return raw->ended; }));
    EXPECT_EQ(raw->plain, "last words");
    EXPECT_EQ((SSL_get_shutdown(raw->ssl) & SSL_RECEIVED_SHUTDOWN) != 0, clean);
    EXPECT_FALSE(raw->reset);
    raw->close();
    ASSERT_TRUE(lab.run_until([&] { return ended.done(); }));
    EXPECT_EQ(ended.result(), 0);
    link.reset();
    ended.outcomes.clear();
    shaken.outcomes.clear();
  }
}

TEST_F(RawTls, AFrameIsOneRecord) {
  make(true);
  ASSERT_EQ(shake(), 0);
  until([] { return true; });
  const std::size_t from = raw->arrived.size();
  write(std::string(kRecordBytes, 'a')); // a whole frame
  write("small");                        // gathered with
  write("pieces");                       // these
  write(std::string(kRecordBytes - 4, 'b'));
  write(std::string(8, 'h')); // a header
  write(std::string(kRecordBytes - 8, 'c'));
  link->flush();
  const std::size_t plain = 3 * kRecordBytes + 11 - 4;
  ASSERT_TRUE(until([&] { return raw->plain.size() == plain; }));
  const std::size_t overhead = 5 + 1 + 16;
  EXPECT_EQ(raw->record_sizes(from),
            (std::vector<std::size_t>{kRecordBytes + overhead, 11 + overhead,
                                      kRecordBytes - 4 + overhead, kRecordBytes + overhead}));
}

TEST_F(RawTls, KeysAreUpdatedBothWaysInMidStream) {
  make(true);
  ASSERT_EQ(shake(), 0);
  read();
  std::string expected;
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(SSL_key_update(raw->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    raw->write("round");
    expected += "round";
    ASSERT_TRUE(until([&] { return text == expected; }));
    write("round");
    link->flush();
    ASSERT_TRUE(until([&] { return raw->plain == expected; }));
  }
}

TEST_F(RawTls, AFloodOfKeyUpdatesIsAborted) {
  make(true);
  ASSERT_EQ(shake(), 0);
  read();
  for (int i = 0; i < 1000; ++i) {
    SSL_key_update(raw->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(raw->ssl);
  }
  raw->write("never seen");
  ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
  EXPECT_TRUE(link->received_end()->aborted);
  EXPECT_EQ(link->received_end()->status.code, Code::kProtocol);
  EXPECT_EQ(text, "");
  EXPECT_TRUE(link->broken());
}

TEST_F(RawTls, ABrokenRecordIsAnsweredWithAnAlertBeforeTheAbort) {
  make(true);
  ASSERT_EQ(shake(), 0);
  read();
  std::string record("\x17\x03\x03\x00\x20", 5);
  record.append(32, 'x');
  raw->send_raw(record);
  ASSERT_TRUE(until([&] { return link->received_end() != nullptr; }));
  EXPECT_TRUE(link->received_end()->aborted);
  link->abort(ended.completion);
  ASSERT_TRUE(until([&] { return raw->ended; }));
  EXPECT_EQ(SSL_get_error(raw->ssl, SSL_read(raw->ssl, text.data(), 0)), SSL_ERROR_SSL);
}

/// Counts how often a reader is done.
struct Heads {
  void on_done() { ++done; }
  int done = 0;
};

TEST_F(RawTls, AHeadThatFollowsAnAnswerWhichCameWithItsEndIsAnEnd) {
  make(false);
  ASSERT_EQ(shake(), 0) << link->failure().message;
  HeadReader reader(*link);
  Heads heads;
  const Delegate<> done = Delegate<>::to<&Heads::on_done>(heads);
  SSL_write(raw->ssl, "\0\5again", 7);
  SSL_shutdown(raw->ssl);
  raw->push(); // the answer and close_notify in one segment
  reader.start(HeadForm::kMessage, done);
  ASSERT_TRUE(until([&] { return heads.done == 1; }));
  ASSERT_TRUE(reader.status().ok()) << reader.status().message;
  EXPECT_EQ(reader.bytes(), "again");
  ASSERT_NE(link->received_end(), nullptr); // it is known, and the plugin wants the next answer
  reader.start(HeadForm::kMessage, done);
  ASSERT_TRUE(until([&] { return heads.done == 2; }));
  EXPECT_EQ(reader.status().code, Code::kTruncated);
  EXPECT_EQ(reader.status().message, "the connection ended before its head");
}

} // namespace
} // namespace culvert::test
