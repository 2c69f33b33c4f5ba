#include "unit/relay/relay_world.hpp"

#include <algorithm>

namespace culvert::test {

void LinesLog::write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField &field : fields) {
    line += " " + std::string(field.name) + "=" + field.value;
  }
  lines.push_back(std::move(line));
  levels_.push_back(level);
}

std::size_t LinesLog::count(std::string_view text) const {
  std::size_t count = 0;
  for (const std::string &line : lines) {
    count += line.find(text) != std::string::npos ? 1 : 0;
  }
  return count;
}

std::size_t LinesLog::told(std::string_view text) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool told = levels_[i] < LogLevel::kDebug;
    count += told && lines[i].find(text) != std::string::npos ? 1 : 0;
  }
  return count;
}

std::string LinesLog::text() const {
  std::string all;
  for (const std::string &line : lines) {
    all += line + "\n";
  }
  return all;
}

WorldOptions test_options(unsigned shards) {
  WorldOptions options;
  options.names = {"relay.example"};
  options.entities = {{"alpha", {{"of_alpha", kRightListen | kRightSend, {}}}}, {"beta", {}}};
  options.own_rules = {{"of_relay", kRightManage, {}}, {"sends", kRightSend, {}}};
  options.shards = shards;
  return options;
}

RelayWorld::RelayWorld(const WorldOptions &options, std::uint64_t seed, const SimFaults &faults,
                       bool tls, HeadForm form)
    : world(seed, faults), relay(std::make_unique<Relay>(options.shards)), tls_(tls), form_(form) {
  const auto made_now = std::make_shared<const RelayPolicy>(options);
  policy = made_now;
  if (tls) {
    ThrowAwayOptions wanted{{"relay.example"},
                            KeyKind::kEd25519,
                            world.wall_s() - 1'000,
                            world.wall_s() + 1'000'000,
                            nullptr};
    made = std::move(make_throw_away(wanted).value());
  }
  const std::string host =
      options.at.family == Address::Family::kUnix ? "10.0.0.1" : options.at.host();
  for (unsigned i = 0; i < options.shards; ++i) {
    shards.push_back(make_shard("relay" + std::to_string(i), host, i, options.shard_limits));
    parts.push_back(std::make_unique<RelayShard>(*relay, *shards.back(), parts_of(i, made_now),
                                                 Delegate<>::to<&RelayWorld::on_done>(*this)));
  }
  Io &first = shards.front()->io;
  const Socket socket = first.listen(options.at).value();
  address = first.local_address(socket).value();
  for (const auto &part : parts) {
    part->start({socket});
  }
}

RelayWorld::~RelayWorld() {
  EXPECT_EQ(end(), "");
}

RelayParts RelayWorld::parts_of(unsigned shard, const std::shared_ptr<const RelayPolicy> &of) {
  auto protocol = std::make_unique<TestProtocol>("test/1", form_);
  protocols.resize(shards.size());
  protocols[shard] = protocol.get();
  RelayParts own;
  own.policy = of;
  own.protocols.push_back({"test", std::move(protocol)});
  own.protocols.push_back({"http", std::make_unique<TestProtocol>("http/1.1", HeadForm::kHttp)});
  if (protocols_reversed) {
    std::swap(own.protocols[0], own.protocols[1]);
  }
  own.tls = tls_ ? server_tls(shards[shard]->io) : nullptr;
  own.auth = std::make_unique<TestAuth>(*shards[shard]);
  return own;
}

void RelayWorld::use(const RelayOptions &options) {
  const auto made_now = std::make_shared<const RelayPolicy>(options);
  policy = made_now;
  for (unsigned i = 0; i < parts.size(); ++i) {
    parts[i]->use(parts_of(i, made_now));
  }
}

void RelayWorld::use(const RelayOptions &options, std::size_t shard) {
  const auto made_now = std::make_shared<const RelayPolicy>(options);
  policy = made_now;
  parts[shard]->use(parts_of(static_cast<unsigned>(shard), made_now));
}

std::shared_ptr<TlsContext> RelayWorld::server_tls(Io &io) {
  TlsServerOptions options;
  options.credentials = &made.server;
  options.alpn = {"test/1", "http/1.1"};
  return std::move(TlsContext::server(io, options).value());
}

std::unique_ptr<Shard> RelayWorld::make_shard(const std::string &label, const std::string &host,
                                              unsigned index, const ShardLimits &limits) {
  SimIo &io = world.make_io(label, host);
  randoms.push_back(world.make_random());
  return std::make_unique<Shard>(io, *randoms.back(), log, index, limits);
}

Shard &RelayWorld::client_shard(const std::string &host) {
  std::unique_ptr<Shard> &shard = clients[host];
  if (!shard) {
    shard = make_shard("client " + host, host, 100);
  }
  return *shard;
}

Peer &RelayWorld::peer(const std::string &head, const std::string &host) {
  return peers.emplace_back(client_shard(host), address, head);
}

Peer &RelayWorld::peer(const std::string &head, PeerWays ways, const std::string &host) {
  Shard &shard = client_shard(host);
  if (!made.authority_pem.empty()) {
    if (!client_tls) {
      TlsClientOptions options;
      options.authorities_pem = made.authority_pem;
      options.resume = false;
      client_tls = std::move(TlsContext::client(shard.io, options).value());
    }
    ways.tls = client_tls.get();
  }
  return peers.emplace_back(shard, address, head, std::move(ways));
}

std::string RelayWorld::answer_of(Peer &peer) {
  EXPECT_TRUE(run_until([&] { return peer.answered(); }));
  return peer.answer;
}

Peer &RelayWorld::answered_peer(const std::string &head) {
  Peer &made = peer(head);
  answer_of(made);
  return made;
}

void RelayWorld::drain() {
  for (const auto &part : parts) {
    part->drain();
  }
}

void RelayWorld::drop() {
  for (const auto &part : parts) {
    part->drop();
  }
}

std::uint32_t RelayWorld::connections() const {
  std::uint32_t count = 0;
  for (const auto &part : parts) {
    count += part->connections();
  }
  return count;
}

std::uint32_t RelayWorld::tunnels() const {
  std::uint32_t count = 0;
  for (const auto &part : parts) {
    count += part->tunnels();
  }
  return count;
}

std::size_t RelayWorld::letters_out() const {
  std::size_t count = 0;
  for (const auto &part : parts) {
    count += part->letters_out();
  }
  return count;
}

std::string RelayWorld::end() {
  if (!relay) {
    return "";
  }
  world.heal();
  drop();
  if (!run_until([&] { return all_done(); })) {
    return "the relay does not end";
  }
  for (Peer &each : peers) {
    each.drop();
  }
  if (!run_until([&] {
        return std::all_of(peers.begin(), peers.end(), [](Peer &each) { return each.ended; });
      })) {
    return "a peer does not end";
  }
  peers.clear();
  std::string left = world.leaks();
  const RelayCounters &sums = relay->counters();
  if (sums.unauthenticated != 0 || sums.pending != 0 || sums.listeners != 0 ||
      sums.tunnels.open() != 0 || relay->registry().size() != 0 || !relay->sources().idle()) {
    left += "a counter is not zero\n";
  }
  for (const auto &shard : shards) {
    left += shard->held.held() == 0 ? "" : "bytes are held\n";
  }
  parts.clear();
  relay.reset();
  return left;
}

} // namespace culvert::test
