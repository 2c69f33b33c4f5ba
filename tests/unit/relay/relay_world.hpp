// A relay of some shards and its clients in one simulated world.
//
// Used by one thread. It owns everything; end() drops what is left and shows that nothing remains.
#pragma once

#include "crypto/certificate.hpp"
#include "link/tls_context.hpp"
#include "role/relay/relay_shard.hpp"
#include "support/sim/sim_world.hpp"
#include "unit/relay/peer.hpp"
#include "unit/relay/raw_peer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace culvert::test {

class LinesLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel level) const override { return level < LogLevel::kTrace; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override;
  /// Lines that hold this text.
  [[nodiscard]] std::size_t count(std::string_view text) const;
  /// Those of them for an operator: without debug.
  [[nodiscard]] std::size_t told(std::string_view text) const;
  [[nodiscard]] std::string text() const;

  std::vector<std::string> lines;

private:
  std::vector<LogLevel> levels_; // of the lines
};

struct WorldOptions : RelayOptions {
  unsigned shards = 1;
  ShardLimits shard_limits;
  Address at = *Address::from_literal("10.0.0.1", 4430); // where it listens
};
WorldOptions test_options(unsigned shards);

class RelayWorld {
public:
  explicit RelayWorld(const WorldOptions &options, std::uint64_t seed = 1,
                      const SimFaults &faults = {}, bool tls = false,
                      HeadForm form = HeadForm::kMessage);
  ~RelayWorld();

  Peer &peer(const std::string &head, const std::string &host = "10.0.0.2");
  Peer &peer(const std::string &head, PeerWays ways, const std::string &host = "10.0.0.2");
  bool run_until(const std::function<bool()> &done, std::uint64_t within_ms = 60'000) {
    return world.run_until(done, within_ms);
  }
  Shard &client_shard(const std::string &host = "10.0.0.2");
  /// Runs until the peer has its answer, and says it.
  std::string answer_of(Peer &peer);
  /// A peer with this head, once it has its answer.
  Peer &answered_peer(const std::string &head);
  /// What the operator changes: the shards use it as their mail brings it.
  void use(const RelayOptions &options);
  void use(const RelayOptions &options, std::size_t shard);
  void drain();
  void drop();
  [[nodiscard]] bool all_done() const { return done_count == shards.size(); }
  /// Stops the relay, ends every peer; "" when nothing is left over.
  std::string end();

  [[nodiscard]] RelayCounters &counters() { return relay->counters(); }
  std::uint32_t connections() const;
  std::uint32_t tunnels() const;
  std::size_t letters_out() const;

  SimWorld world;
  LinesLog log;
  Address address;
  std::size_t done_count = 0;
  std::vector<std::unique_ptr<Random>> randoms;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<TestProtocol *> protocols;   // of each shard: the latest of messages
  bool protocols_reversed = false;         // in what is used from now on
  std::weak_ptr<const RelayPolicy> policy; // the latest
  std::unique_ptr<Relay> relay;
  std::vector<std::unique_ptr<RelayShard>> parts;
  std::map<std::string, std::unique_ptr<Shard>> clients; // by host
  ThrowAway made;
  std::unique_ptr<TlsContext> client_tls; // of a world with TLS
  std::deque<Peer> peers;

private:
  void on_done() { ++done_count; }
  const bool tls_;
  const HeadForm form_;
  RelayParts parts_of(unsigned shard, const std::shared_ptr<const RelayPolicy> &of);
  std::shared_ptr<TlsContext> server_tls(Io &io);
  std::unique_ptr<Shard> make_shard(const std::string &label, const std::string &host,
                                    unsigned index, const ShardLimits &limits = {});
};

} // namespace culvert::test
