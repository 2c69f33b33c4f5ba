#include "unit/tls/tls_tools.hpp"

#include <cerrno>

namespace culvert::test {
namespace {

class TlsHandshake : public testing::TestWithParam<std::unique_ptr<IoWorld> (*)()> {
protected:
  void TearDown() override {
    EXPECT_TRUE(lab.run_until([&] { return lab.leaks().empty(); })) << lab.leaks();
  }
  LinkLab lab{GetParam()()};
};

TEST_P(TlsHandshake, NamesAndCertificatesThatMatchOrDoNot) {
  const std::int64_t now = lab.shard().io.wall_s();
  struct Row {
    std::string host;
    std::string server_name;
    std::int64_t made_at;
    bool own_authority;
    std::string refusal; // empty: accepted
  };
  const std::int64_t long_ago = now - 10 * kTestDaySec;
  for (const Row &row :
       {Row{"relay.test", "", now, true, ""}, Row{"127.0.0.1", "", now, true, ""},
        Row{"::1", "", now, true, ""}, Row{"10.0.0.1", "relay.test", now, true, ""},
        Row{"other.test", "", now, true, "hostname mismatch"},
        Row{"relay.test", "other.test", now, true, "hostname mismatch"},
        Row{"127.0.0.2", "", now, true, "IP address mismatch"},
        Row{"relay.test", "", long_ago, true, "certificate has expired"},
        Row{"relay.test", "", now + 10 * kTestDaySec, true, "certificate is not yet valid"},
        Row{"relay.test", "", now, false, "unable to get local issuer certificate"}}) {
    TlsKit kit(lab.shard(), throw_away_at(row.made_at));
    if (!row.own_authority) {
      kit.client_options.authorities_pem = throw_away_at(now, {"a.test"}).authority_pem;
      kit.remake_client(lab.shard());
    }
    kit.peer.host = row.host;
    kit.peer.server_name = row.server_name;
    TlsPair pair(lab, kit, lab.tcp_pair());
    EXPECT_EQ(pair.shake(lab), row.refusal.empty()) << row.host << " " << row.refusal;
    if (!row.refusal.empty()) {
      const Status &status = pair.near->failure();
      EXPECT_EQ(status.code, Code::kTls);
      EXPECT_NE(status.message.find(row.refusal + " (it is for '"), std::string::npos)
          << status.message;
      EXPECT_NE(pair.far->failure().message.find("alert"), std::string::npos)
          << pair.far->failure().message;
    }
    pair.drop(lab);
  }
}

TEST_P(TlsHandshake, AlpnPicksOursOrNoneAndNeverFails) {
  struct Row {
    std::vector<std::string> server;
    std::string client;
    std::string expected;
  };
  for (const Row &row : {Row{{"one", "two"}, "two", "two"}, Row{{"one"}, "three", ""},
                         Row{{}, "one", ""}, Row{{"one"}, "", ""}}) {
    TlsKit kit(lab.shard());
    kit.server_options.alpn = row.server;
    kit.remake_server(lab.shard());
    kit.peer.alpn = row.client;
    TlsPair pair(lab, kit, lab.tcp_pair());
    ASSERT_TRUE(pair.shake(lab));
    EXPECT_EQ(pair.near->alpn(), row.expected);
    EXPECT_EQ(pair.far->alpn(), row.expected);
    pair.drop(lab);
  }
}

TEST_P(TlsHandshake, CanBeCancelledAtEveryPoint) {
  TlsKit kit(lab.shard());
  for (std::size_t rounds = 0; rounds < 12; ++rounds) {
    for (const bool near_side : {true, false}) {
      TlsPair pair(lab, kit, lab.tcp_pair());
      pair.near->handshake(pair.near_shaken.completion);
      pair.far->handshake(pair.far_shaken.completion);
      lab.run_some(rounds);
      Event &event = near_side ? pair.near_shaken : pair.far_shaken;
      (near_side ? pair.near : pair.far)->cancel(event.completion);
      ASSERT_TRUE(lab.run_until([&] { return event.done(); }));
      EXPECT_EQ(event.outcomes.size(), 1U);
      EXPECT_TRUE(event.result() == -ECANCELED || event.result() == 0);
      pair.drop(lab);
      EXPECT_FALSE(pair.near_shaken.completion.in_flight());
      EXPECT_FALSE(pair.far_shaken.completion.in_flight());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, TlsHandshake, testing::Values(&make_uring_world, &make_sim_world));

// --- resumption, on real sockets ----------------------------------------------------------------

class TlsResumption : public testing::Test {
protected:
  /// One connection, on which the client reads one byte, so that the ticket is read too.
  bool connect(TlsKit &kit, bool clean) {
    TlsPair pair(lab, kit, lab.tcp_pair());
    EXPECT_TRUE(pair.shake(lab));
    const bool resumed = pair.near->resumed();
    EXPECT_EQ(pair.far->resumed(), resumed);
    LinkUser near(std::move(pair.near), 1, 2);
    LinkUser far(std::move(pair.far), 2, 1);
    far.write_to(1);
    near.read_to();
    EXPECT_TRUE(lab.run_until([&] { return near.bytes_read() == 1; }));
    for (LinkUser *user : {&near, &far}) {
      clean ? user->close() : user->abort();
    }
    EXPECT_TRUE(lab.run_until([&] { return near.over() && far.over(); }));
    return resumed;
  }
  LinkLab lab{make_uring_world()};
};

TEST_F(TlsResumption, AlsoAfterAnAbortAndAtAnotherShardsContext) {
  TlsKit kit(lab.shard());
  EXPECT_FALSE(connect(kit, false));
  EXPECT_EQ(kit.client->session_count(), 1U);
  EXPECT_TRUE(connect(kit, true));
  kit.remake_server(lab.shard()); // a second context with the bind's tickets
  EXPECT_TRUE(connect(kit, false));
  EXPECT_TRUE(connect(kit, false));
  kit.peer.port = 444; // another relay
  EXPECT_FALSE(connect(kit, true));
  EXPECT_EQ(kit.client->session_count(), 2U);
}

TEST_F(TlsResumption, OtherTicketsAreRefusedAndNoTicketsAreNone) {
  TlsKit kit(lab.shard());
  EXPECT_FALSE(connect(kit, true));
  TlsTickets others(lab.random());
  kit.with_tickets = false;
  kit.server_options.tickets = &others;
  kit.remake_server(lab.shard());
  EXPECT_FALSE(connect(kit, true));
  TlsKit without(lab.shard(), throw_away_at(lab.shard().io.wall_s()));
  without.with_tickets = false;
  without.server_options.tickets = nullptr;
  without.remake_server(lab.shard());
  EXPECT_FALSE(connect(without, true));
  EXPECT_EQ(without.client->session_count(), 0U);
}

} // namespace
} // namespace culvert::test
