// One seed from its first event to its last: the whole world, and what must hold in it.
//
// Used on one thread. After a failure the run may have operations left, so it must then be leaked,
// not destroyed.
#pragma once

#include "hasty.hpp"
#include "people.hpp"
#include "plan.hpp"
#include "proxy_host.hpp"
#include "roles.hpp"
#include "thief.hpp"

namespace culvert::simtest {

inline constexpr std::uint64_t kFreshMs = 60'000;
inline constexpr std::uint64_t kStopMs = 200'000;
/// How soon a listener must be registered again: within kSoonMs after an outage of up to
/// kShortOutageMs in which connections are refused or reset, within kLaterMs after any other.
inline constexpr std::uint64_t kShortOutageMs = 5'000;
inline constexpr std::uint64_t kSoonMs = 5'000;
inline constexpr std::uint64_t kLaterMs = 30'000;

std::string listener_host(unsigned index);
std::string sender_host(unsigned index);

/// What came of one seed, or the sums over many.
struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t tls_seeds = 0;
  std::uint64_t unix_seeds = 0; // whose targets are unix sockets
  std::uint64_t checked_bytes = 0;
  std::uint64_t sessions = 0;
  std::uint64_t whole = 0;       // both directions complete and ended cleanly
  std::uint64_t broken = 0;      // joined, and seen to be broken, by a plan or by a fault
  std::uint64_t unmet = 0;       // never joined
  std::uint64_t moved = 0;       // tunnels at the relay, joined behind a move between shards
  std::uint64_t same = 0;        // and without one
  std::uint64_t hasty = 0;       // tunnels whose listener pipelined behind its head
  std::uint64_t hasty_moved = 0; // of these, moved with the bytes that were read too far
  std::uint64_t forged = 0;      // capabilities that were tried and refused
  std::uint64_t fins = 0;        // connections that ended with FIN when the relay was killed
  std::uint64_t silences = 0;    // of minutes, in all tunnels and channels
  std::uint64_t renewals = 0;    // of a control channel's token
  std::uint64_t proxied = 0;     // connections that a proxy led to the relay
  std::uint64_t dropped = 0;     // tunnels whose entity was removed
  std::uint64_t events[kEventKinds] = {};
  SimFaultCounts faults;
};

class WorldRun {
public:
  explicit WorldRun(std::uint64_t seed);

  /// True when everything held.
  bool run();
  [[nodiscard]] const std::vector<std::string> &failures() const { return judge_.failures(); }
  /// What is going on now, for whoever replays a seed: sessions, held bytes, sockets.
  [[nodiscard]] std::string state() const;
  [[nodiscard]] const SimLog &log() const { return services_.log; }
  [[nodiscard]] std::uint64_t trace_hash() const { return world_.trace_hash(); }
  [[nodiscard]] const Totals &totals() const { return totals_; }

private:
  using ListenerHost = ClientHost<Listener>;
  using SenderHost = ClientHost<Sender>;

  void make_roles();
  void make_listener(unsigned index);
  void make_apps();
  bool storm();
  bool recover(std::uint64_t within_ms);
  void close_firewall();
  bool round(std::size_t first, std::uint64_t within_ms);
  bool silence();
  bool outlast();
  bool stop();
  // world_events.cpp:
  bool pass_through(const Event &event);
  bool begin(const Event &event);
  bool end(const Event &event);
  bool recover_from(const Event &event);
  bool keys_are_switched(const Event &event);
  bool open_companions(std::size_t first);
  bool companions_end(std::size_t first);
  bool kill_relay(bool finishes);
  void break_names(EventKind kind);
  void upset_proxy(EventKind kind);
  void rotate(const Event &event);
  bool end_token(unsigned listener);
  bool lose_channel(unsigned listener);
  bool stop_listener(unsigned listener);
  void start_listener(unsigned listener);
  void reload_clients(unsigned rule, const ClientSettings &settings);
  [[nodiscard]] std::string way_of(unsigned listener) const;
  [[nodiscard]] std::uint64_t tokens_end_ms() const;
  [[nodiscard]] bool tokens_are_good() const;
  [[nodiscard]] std::uint64_t listens() const;
  [[nodiscard]] std::uint64_t refusals(unsigned rule) const;
  // The rest:
  void judge_sessions();
  void judge_counters();
  void sum_up();
  bool expect(bool condition, const std::string &what);
  bool until(const std::function<bool()> &done, std::uint64_t within_ms, const std::string &what);
  [[nodiscard]] bool registered();

  const Plan plan_;
  SimWorld world_;
  Judge judge_;
  Services services_;
  ListenerOptions listener_options_[2];
  SenderOptions sender_options_;
  RelayHost relay_;
  std::vector<std::unique_ptr<ListenerHost>> listeners_;
  std::vector<std::unique_ptr<SenderHost>> senders_;
  std::vector<Address> sender_addresses_;
  std::unique_ptr<Thief> thief_;
  std::unique_ptr<Hasty> hasty_;
  std::unique_ptr<ProxyHost> proxy_;
  std::vector<Session> sessions_;
  TalkWorld talk_{world_, judge_, sessions_, plan_.unix_targets};
  SimIo &app_io_;
  std::vector<std::unique_ptr<App>> apps_;
  std::vector<std::unique_ptr<Target>> targets_;
  bool half_open_ = false;       // a connection was lost silently and may not have been found
  bool half_open_found_ = false; // by a fault, and long ago
  bool clock_jumped_ = false;    // and what it ended may not have been found
  bool away_[2] = {};            // listeners that are not to be registered now
  RelaySettings put_back_;       // at the end of an event
  std::uint64_t next_key_ = 0;   // of the rule whose key changes
  std::uint64_t listens_ = 0;    // at the beginning of an event
  std::uint64_t refusals_ = 0;   // the same, of the rule whose key changes
  Totals totals_;
};

} // namespace culvert::simtest
