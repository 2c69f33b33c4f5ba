// Tunnels over every pair of link kinds that the roles use, and the users at their far ends.
//
// Used on the test's thread. The tunnel lives on the lab's shard, its peers on the other one, so
// that what the tunnel holds is counted apart.
#pragma once

#include "link/websocket.hpp"
#include "tunnel/tunnel.hpp"
#include "unit/link/link_suite.hpp"
#include "unit/tls/tls_tools.hpp"

#include <memory>
#include <string>

namespace culvert::test {

inline constexpr std::size_t kMegabyte = 1024U * 1024;

/// What one side of a tunnel stands on.
enum class SideKind : std::uint8_t {
  kMemory,
  kTcp,             // the app's or the target's own socket
  kTlsClient,       // raw TLS towards a relay
  kTlsServer,       // the relay's end of that
  kWebSocketClient, // over TLS
  kWebSocketServer, // over TLS
  kMessages         // over TLS, towards a relay; each fills a record
};

inline bool is_websocket(SideKind kind) {
  return kind == SideKind::kWebSocketClient || kind == SideKind::kWebSocketServer;
}

inline std::string side_name(const testing::TestParamInfo<SideKind> &info) {
  static const char *const kNames[] = {
      "memory", "tcp", "tls_client", "tls_server", "websocket", "websocket_server", "messages"};
  return kNames[static_cast<std::size_t>(info.param)];
}

/// Two shards and the contexts of TLS; `tunnel_end` is the tunnel's own, `peer` the other side's.
class TunnelLab : public LinkLab {
public:
  struct End {
    std::unique_ptr<Link> tunnel_end;
    std::unique_ptr<Link> peer;
  };
  explicit TunnelLab(std::unique_ptr<IoWorld> world) : LinkLab(std::move(world)) {}

  End connect(SideKind kind) { return connect(kind, shard(), other_shard()); }
  End connect(SideKind kind, Shard &here, Shard &there);
  /// TLS over TCP, handshake done; near is the client.
  LinkPair tls_pair(Shard &client, Shard &server);

private:
  std::unique_ptr<TlsKit> kit_;
};

/// A tunnel, what became of it, and its record.
struct TunnelUnderTest {
  TunnelUnderTest(Shard &shard, std::unique_ptr<Link> first, std::unique_ptr<Link> second)
      : tunnel(
            std::make_unique<Tunnel>(shard, TunnelSide{std::move(first), "app", Source::kPlugin},
                                     TunnelSide{std::move(second), "target", Source::kTarget},
                                     Delegate<Tunnel &>::to<&TunnelUnderTest::on_ended>(*this))) {}
  void on_ended(Tunnel &ended_one) {
    EXPECT_FALSE(ended);
    ended = true;
    record = ended_one.record();
    tunnel.reset(); // as its owners do
  }

  std::unique_ptr<Tunnel> tunnel;
  bool ended = false;
  EndingRecord record;
};

struct TunnelKind {
  std::string name;
  std::unique_ptr<IoWorld> (*make_world)();
  SideKind first;
  SideKind second;
};

std::string tunnel_kind_name(const testing::TestParamInfo<TunnelKind> &info);
void PrintTo(const TunnelKind &kind, std::ostream *out);
/// Every pair on each backend.
std::vector<TunnelKind> every_tunnel();

/// A started tunnel between two users, `app` at its first side and `target` at its second.
class TunnelSuite : public testing::TestWithParam<TunnelKind> {
protected:
  void SetUp() override { connect(); }
  void TearDown() override { end_all(); }
  void connect();
  void start() { under_test->tunnel->start(); }
  /// Drops whatever is left, and checks that nothing is.
  void end_all();
  bool run_until(const std::function<bool()> &predicate) { return lab.run_until(predicate); }
  /// Until the tunnel has ended, and both users, who close.
  void close_users();
  void expect_record(EndingRecord::How how, const std::string &by, Source source);
  [[nodiscard]] SideKind kind_of(const LinkUser &user) const {
    return &user == app.get() ? GetParam().first : GetParam().second;
  }
  LinkUser &other(const LinkUser &user) { return &user == app.get() ? *target : *app; }
  [[nodiscard]] std::string name_of(const LinkUser &user) const {
    return &user == app.get() ? "app" : "target";
  }
  [[nodiscard]] Source source_of(const LinkUser &user) const {
    return &user == app.get() ? Source::kPlugin : Source::kTarget;
  }
  /// Payload that came from this user, by the record.
  [[nodiscard]] std::uint64_t recorded_from(const LinkUser &user) const {
    return &user == app.get() ? under_test->record.bytes_from_first
                              : under_test->record.bytes_from_second;
  }
  /// Writes until every buffer on the way to the reader who does not read is full.
  void fill(LinkUser &writer);
  /// Reads in small turns, with pauses; true once the end was read.
  bool read_slowly(LinkUser &reader);
  /// So many events in sim; in real time a round may sleep.
  [[nodiscard]] std::size_t moments(std::size_t events) {
    return lab.virtual_time() ? events : 1 + events / 10;
  }
  /// Runs `row` once for each side as its actor.
  void for_each_side(const std::function<void(LinkUser &actor, LinkUser &other)> &row);

  TunnelLab lab{GetParam().make_world()};
  std::unique_ptr<TunnelUnderTest> under_test;
  std::unique_ptr<LinkUser> app;
  std::unique_ptr<LinkUser> target;
};

} // namespace culvert::test
