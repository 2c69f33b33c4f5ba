// What the tests of TLS share: throw-away certificates, contexts, and connected TLS links.
//
// Used on the test's thread. A TlsKit owns contexts and certificates and outlives the links.
#pragma once

#include "crypto/certificate.hpp"
#include "link/tls.hpp"
#include "unit/link/link_suite.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace culvert::test {

inline constexpr std::int64_t kTestDaySec = 86'400;

inline ThrowAway throw_away_at(std::int64_t now_s,
                               std::vector<std::string> names = {"relay.test", "127.0.0.1", "::1"},
                               KeyKind kind = KeyKind::kEcdsaP256) {
  ThrowAwayOptions options;
  options.names = std::move(names);
  options.kind = kind;
  options.not_before_s = now_s - kTestDaySec;
  options.not_after_s = now_s + kTestDaySec;
  return std::move(make_throw_away(options).value());
}

/// One server, one client that trusts it, and the certificates between them.
struct TlsKit {
  explicit TlsKit(Shard &shard) : TlsKit(shard, throw_away_at(shard.io.wall_s())) {}
  TlsKit(Shard &shard, ThrowAway made_before)
      : made(std::move(made_before)), tickets(shard.random) {
    remake_server(shard);
    remake_client(shard);
    peer.host = "relay.test";
    peer.port = 443;
  }
  /// After a change of server_options.
  void remake_server(Shard &shard) {
    server_options.credentials = &made.server;
    if (with_tickets) {
      server_options.tickets = &tickets;
    }
    server = std::move(TlsContext::server(shard.io, server_options).value());
  }
  void remake_client(Shard &shard) {
    if (client_options.authorities_pem.empty()) {
      client_options.authorities_pem = made.authority_pem;
    }
    client = std::move(TlsContext::client(shard.io, client_options).value());
  }

  ThrowAway made;
  TlsTickets tickets;
  bool with_tickets = true;
  TlsServerOptions server_options;
  TlsClientOptions client_options;
  TlsPeer peer;
  std::unique_ptr<TlsContext> server;
  std::unique_ptr<TlsContext> client;
};

/// Two TLS links, near is the client, before their handshake.
struct TlsPair {
  TlsPair(LinkLab &lab, TlsKit &kit, LinkPair below)
      : near(std::make_unique<TlsLink>(lab.shard(), std::move(below.near), *kit.client, kit.peer)),
        far(std::make_unique<TlsLink>(lab.shard(), std::move(below.far), *kit.server)) {}

  /// Both handshakes, to whatever end; true when both succeeded.
  bool shake(LinkLab &lab) {
    near->handshake(near_shaken.completion);
    far->handshake(far_shaken.completion);
    EXPECT_TRUE(lab.run_until([&] {
      // A side that failed ends its link, as a role would: the other waits for no more.
      for (auto [link, shaken, dropped] : {std::tuple{near.get(), &near_shaken, &near_dropped},
                                           std::tuple{far.get(), &far_shaken, &far_dropped}}) {
        if (shaken->done() && shaken->result() != 0 && dropped->outcomes.empty() &&
            !dropped->completion.in_flight()) {
          link->abort(dropped->completion);
        }
      }
      return near_shaken.done() && far_shaken.done();
    }));
    return near_shaken.result() == 0 && far_shaken.result() == 0;
  }
  /// Drops both and joins.
  void drop(LinkLab &lab) {
    Event near_gone;
    Event far_gone;
    near->drop(near_gone.completion);
    far->drop(far_gone.completion);
    EXPECT_TRUE(lab.run_until([&] {
      return near_gone.done() && far_gone.done() && !near_dropped.completion.in_flight() &&
             !far_dropped.completion.in_flight();
    }));
    near.reset();
    far.reset();
  }

  std::unique_ptr<TlsLink> near;
  std::unique_ptr<TlsLink> far;
  Event near_shaken;
  Event far_shaken;
  Event near_dropped;
  Event far_dropped;
};

} // namespace culvert::test
