#include "unit/tunnel/tunnel_world.hpp"

#include "link/messages.hpp"
#include "link/tcp.hpp"
#include "support/memory_link/memory.hpp"
#include "unit/io/io_tools.hpp"

#include <ostream>

namespace culvert::test {

// --- links --------------------------------------------------------------------------------------

LinkPair TunnelLab::tls_pair(Shard &client, Shard &server) {
  if (!kit_) {
    kit_ = std::make_unique<TlsKit>(shard());
  }
  const Pair pair = connected_pair(world(), client.io);
  auto near = std::make_unique<TlsLink>(client, std::make_unique<TcpLink>(client, pair.client),
                                        *kit_->client, kit_->peer);
  auto far = std::make_unique<TlsLink>(server, std::make_unique<TcpLink>(server, pair.server),
                                       *kit_->server);
  Event near_shaken;
  Event far_shaken;
  near->handshake(near_shaken.completion);
  far->handshake(far_shaken.completion);
  EXPECT_TRUE(run_until([&] { return near_shaken.done() && far_shaken.done(); }));
  EXPECT_EQ(near_shaken.result(), 0) << near->failure().message;
  EXPECT_EQ(far_shaken.result(), 0) << far->failure().message;
  return {std::move(near), std::move(far)};
}

namespace {

std::unique_ptr<Link> websocket(Shard &shard, std::unique_ptr<Link> below, WebSocketRole role) {
  return std::make_unique<WebSocketLink>(shard, std::move(below), WebSocketOptions{role});
}

} // namespace

TunnelLab::End TunnelLab::connect(SideKind kind, Shard &here, Shard &there) {
  if (kind == SideKind::kMemory) {
    MemoryLink::Pair pair = MemoryLink::make_pair(here);
    return {std::move(pair.first), std::move(pair.second)};
  }
  if (kind == SideKind::kTcp) {
    const Pair pair = connected_pair(world(), here.io);
    End end{std::make_unique<TcpLink>(here, pair.client),
            std::make_unique<TcpLink>(there, pair.server)};
    end.tunnel_end->end_tunnel_here();
    end.peer->end_tunnel_here();
    return end;
  }
  const bool client = kind == SideKind::kTlsClient || kind == SideKind::kWebSocketClient ||
                      kind == SideKind::kMessages;
  Shard &near_shard = client ? here : there;
  Shard &far_shard = client ? there : here;
  LinkPair pair = tls_pair(near_shard, far_shard);
  if (is_websocket(kind)) {
    pair.near = websocket(near_shard, std::move(pair.near), WebSocketRole::kClient);
    pair.far = websocket(far_shard, std::move(pair.far), WebSocketRole::kServer);
  }
  if (kind == SideKind::kMessages) {
    FramingOptions options;
    options.framing = Framing::kMessages;
    options.largest_message = kRecordBytes - 2; // longer ones are put together, one at a time
    pair.near = std::make_unique<MessagesLink>(near_shard, std::move(pair.near), options);
    pair.far = std::make_unique<MessagesLink>(far_shard, std::move(pair.far), options);
  }
  if (!client) {
    std::swap(pair.near, pair.far);
  }
  return {std::move(pair.near), std::move(pair.far)};
}

// --- the suite ----------------------------------------------------------------------------------

std::string tunnel_kind_name(const testing::TestParamInfo<TunnelKind> &info) {
  return info.param.name;
}

void PrintTo(const TunnelKind &kind, std::ostream *out) {
  *out << kind.name;
}

std::vector<TunnelKind> every_tunnel() {
  struct Sides {
    const char *name;
    SideKind first;
    SideKind second;
  };
  struct World {
    const char *name;
    std::unique_ptr<IoWorld> (*make)();
  };
  std::vector<TunnelKind> kinds;
  for (const World world :
       {World{"uring", &make_uring_world}, World{"epoll", &make_epoll_world},
        World{"sim", &make_sim_world}, World{"faulty", &make_faulty_sim_world}}) {
    for (const Sides sides :
         {Sides{"tcp_websocket", SideKind::kTcp, SideKind::kWebSocketClient},
          Sides{"tcp_tls", SideKind::kTcp, SideKind::kTlsClient},
          Sides{"relay_websocket", SideKind::kWebSocketServer, SideKind::kWebSocketServer},
          Sides{"relay_tls", SideKind::kTlsServer, SideKind::kTlsServer},
          Sides{"tcp", SideKind::kTcp, SideKind::kTcp},
          Sides{"memory", SideKind::kMemory, SideKind::kMemory}}) {
      kinds.push_back(
          {std::string(world.name) + "_" + sides.name, world.make, sides.first, sides.second});
    }
  }
  return kinds;
}

void TunnelSuite::connect() {
  TunnelLab::End first = lab.connect(GetParam().first);
  TunnelLab::End second = lab.connect(GetParam().second);
  ASSERT_FALSE(HasFailure());
  app = std::make_unique<LinkUser>(std::move(first.peer), 1'000'000, 2'000'000);
  target = std::make_unique<LinkUser>(std::move(second.peer), 2'000'000, 1'000'000);
  under_test = std::make_unique<TunnelUnderTest>(lab.shard(), std::move(first.tunnel_end),
                                                 std::move(second.tunnel_end));
}

void TunnelSuite::end_all() {
  if (under_test == nullptr) {
    return;
  }
  if (!under_test->ended) {
    under_test->tunnel->drop({});
  }
  for (LinkUser *user : {app.get(), target.get()}) {
    if (!user->over() && !user->dropped.completion.in_flight()) {
      user->drop();
    }
  }
  ASSERT_TRUE(run_until([&] { return under_test->ended && app->over() && target->over(); }));
  EXPECT_TRUE(app->intact() && target->intact());
  under_test.reset();
  app.reset();
  target.reset();
  EXPECT_TRUE(run_until([&] { return lab.leaks().empty(); })) << lab.leaks();
}

void TunnelSuite::close_users() {
  app->close();
  target->close();
  ASSERT_TRUE(run_until([&] { return under_test->ended && app->over() && target->over(); }));
}

void TunnelSuite::expect_record(EndingRecord::How how, const std::string &by, Source source) {
  ASSERT_TRUE(run_until([&] { return under_test->ended; }));
  const EndingRecord &record = under_test->record;
  EXPECT_EQ(word(record.how), word(how)) << record.status.message;
  EXPECT_EQ(record.by, by);
  EXPECT_EQ(record.status.ok(), how == EndingRecord::How::kFinished) << record.status.message;
  if (how != EndingRecord::How::kFinished) {
    EXPECT_EQ(word(record.status.source), word(source));
  }
}

void TunnelSuite::fill(LinkUser &writer) {
  const std::size_t before = under_test->tunnel->held();
  writer.write_to(SIZE_MAX / 2);
  ASSERT_TRUE(
      run_until([&] { return under_test->tunnel->held() > before && writer.link().held() > 0; }));
  writer.write_to(writer.written());
}

bool TunnelSuite::read_slowly(LinkUser &reader) {
  reader.how.turn_bytes = 30'000;
  std::size_t limit = reader.bytes_read();
  return run_until([&] {
    if (reader.bytes_read() >= limit) { // a stack may have read ahead
      limit += 200'000;
      reader.read_to(limit);
    }
    return reader.end() != nullptr;
  });
}

void TunnelSuite::for_each_side(const std::function<void(LinkUser &actor, LinkUser &other)> &row) {
  for (const bool first : {true, false}) {
    SCOPED_TRACE(first ? "by the first side" : "by the second side");
    LinkUser &actor = first ? *app : *target;
    row(actor, other(actor));
    ASSERT_NO_FATAL_FAILURE(end_all());
    if (first) {
      ASSERT_NO_FATAL_FAILURE(connect());
    }
  }
}

} // namespace culvert::test
