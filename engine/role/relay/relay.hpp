// The relay of one process: what its shards share.
//
// Made on the control thread before its shards, destroyed there after them. Constant but for the
// registry and the shares of sources (a mutex each, set-up and tear-down only) and counters
// (atomics, read from any thread). It owns the registry and the entity table; its shards belong to
// the engine and are known here so that letters find them.
//
// How two connections meet: design section 4, rule 10. A reader begins with relay_shard.hpp, then
// connection.hpp.
#pragma once

#include "role/acceptor.hpp"
#include "role/relay/registry.hpp"
#include "role/relay/rules.hpp"
#include "role/relay/source_shares.hpp"
#include "role/relay/text.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace culvert {

class RelayShard;

struct RelayLimits {
  RegistryLimits pending;
  std::uint32_t unauthenticated = kUnauthenticated;
  std::uint32_t unauthenticated_per_source = kUnauthenticatedPerSource;
  std::uint32_t per_shard = kConnectionsPerShard; // connections, channels and tunnels, each
  std::uint64_t drain_grace_ms = kDrainGraceMs;
};

struct RelayOptions {
  std::vector<std::string> names; // host names or IP literals; at least one
  std::vector<EntityOptions> entities;
  std::vector<Rule> own_rules;
  std::string public_host;       // in offers; empty: as the listener dialled
  std::uint16_t public_port = 0; // 0 with a public_host: 443
  ChoicePolicy policy = ChoicePolicy::kRandom;
  RelayLimits limits;
  unsigned shards = 1;
};

/// Sums over all shards since the start; each is read by itself.
struct RelayCounters {
  explicit RelayCounters(unsigned shards) : tunnels(shards) {}

  TunnelCounts tunnels;
  std::atomic<std::uint64_t> setups_failed = 0;
  std::atomic<std::uint32_t> listeners = 0; // control channels now
  std::atomic<std::uint32_t> unauthenticated = 0;
  std::atomic<std::uint32_t> pending = 0; // senders that wait now
};

class Relay {
public:
  /// What cannot work, as Source::kConfig.
  static Status check(const RelayOptions &options);
  static Status check_names(const std::vector<std::string> &names);

  /// The options must have passed check().
  explicit Relay(RelayOptions options);
  Relay(const Relay &) = delete;
  Relay &operator=(const Relay &) = delete;
  ~Relay();

  [[nodiscard]] const RelayOptions &options() const { return options_; }
  [[nodiscard]] const EntityTable &entities() const { return entities_; }
  [[nodiscard]] Registry &registry() { return registry_; }
  [[nodiscard]] RelayCounters &counters() { return counters_; }
  [[nodiscard]] AcceptGroup &accept_group() { return accept_group_; }

  /// Where a listener that dialled `authority` is told to fetch its senders.
  [[nodiscard]] Authority public_address(std::string_view authority,
                                         std::uint16_t bound_port) const;

  // --- for RelayShard ---------------------------------------------------------------------------
  void attach(unsigned index, RelayShard &shard);
  void detach(unsigned index);
  /// nullptr: no such shard, or not attached yet.
  [[nodiscard]] RelayShard *shard(unsigned index) const;
  /// True for the last shard that stops accepting: it closes the listening socket.
  bool stop_accepting() { return accepting_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  enum class Seat : std::uint8_t { kTaken, kNone, kNoneOfSource, kNoneOfSourceAgain };
  /// One among the unauthenticated connections; `source` as in SourceShares.
  Seat take_seat(const std::string &source);
  void leave_seat(const std::string &source);
  [[nodiscard]] const SourceShares &shares() const { return shares_; }

private:
  const RelayOptions options_;
  const EntityTable entities_;
  Registry registry_;
  SourceShares shares_;
  RelayCounters counters_;
  AcceptGroup accept_group_;
  std::vector<std::atomic<RelayShard *>> shards_;
  std::atomic<unsigned> accepting_;
};

} // namespace culvert
