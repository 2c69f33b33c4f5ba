// What an engine does at one moment, as values: for an operator, for metrics, for tests.
//
// Plain data without references into the engine, not bound to a thread. Counts are sums since the
// start of their role. They are read one by one, not together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// How long something took, in classes: a class has what took at most its bound and more than the
/// bound before it.
struct TimeClasses {
  std::vector<double> bounds_s;      // ascending; the last class, above all of them, has no bound
  std::vector<std::uint64_t> counts; // one more than bounds
  double sum_s = 0;
};

struct RoleStats {
  enum class State : std::uint8_t {
    kStarting, // a listener that has not registered yet
    kOnline,   // serving; a listener: registered at its relay
    kOffline,  // a listener that lost its relay and connects again
    kDraining,
    kStopped
  };
  State state = State::kStarting;
  std::int64_t since_s = 0; // Unix seconds; when the state began, while the role runs
  std::uint64_t tunnels_open = 0;
  std::uint64_t tunnels_ended = 0;
  std::uint64_t tunnels_aborted = 0; // of the ended ones, with the dropped ones
  std::uint64_t tunnels_dropped = 0; // of the ended ones: by this process
  /// Of the ended ones, by how ("finished", "aborted", "dropped") and by whom: "app" or "relay" of
  /// a sender, "sender" or "listener" of a relay, "relay" or "target" of a listener, or "host":
  /// this process.
  std::map<std::string, std::map<std::string, std::uint64_t>> endings;
  std::uint64_t tunnels_moved = 0; // of a relay: joined after a connection moved to another shard
  std::uint64_t setups_failed = 0;
  std::map<std::string, std::uint64_t> failures; // of any set-up or channel, by word(Code)
  /// Payload from the app's side towards the target, of ended tunnels and open ones.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0; // the other way
  std::uint64_t turns = 0;     // of tunnels; a turn moves all that a socket has for it at once
  std::uint32_t listeners = 0; // of a relay: control channels now
  std::uint32_t pending = 0;   // of a relay: senders that wait for a listener now
  std::int64_t certificate_expires_s = 0; // Unix seconds; of a relay's certificate
  std::uint64_t channels_registered = 0;  // of a listener, like the next two
  std::uint64_t channels_lost = 0;
  std::int64_t token_expires_s = 0; // Unix seconds; of the channel's token; 0: none, or no end
  /// Of tunnels, by the step of their set-up. A sender: "queued" (from the app's connection to the
  /// first dial), "dialled". A relay: "admitted" (from the sender's connection to the first offer),
  /// "met". A listener: "target" (from the offer to the target's connection), "fetched".
  std::map<std::string, TimeClasses> setup_times;
  std::string last_failure; // one sentence, or empty
};

/// The word of a state, as logs and JSON have it: "online".
std::string_view word(RoleStats::State state);

/// What one shard holds at this moment, and what it has asked of the kernel since its start;
/// everything 0 when nothing runs or there is no such shard.
struct ShardStats {
  std::size_t operations = 0;
  std::size_t held_bytes = 0;
  std::size_t held_bytes_peak = 0;
  std::uint64_t entries = 0;     // submitted to the ring; epoll: changes of what it watches
  std::uint64_t completions = 0; // taken from the ring; epoll: events
  std::uint64_t calls = 0;       // io_uring_enter; epoll: epoll_wait and epoll_ctl
};

enum class RoleKind : std::uint8_t { kRelay, kListener, kSender };
std::string_view word(RoleKind kind);

/// An entity of a relay.
struct EntityStats {
  std::string path;
  std::uint32_t listeners = 0;
  std::uint64_t tunnels = 0;
  std::uint32_t pending = 0; // senders that wait for one of them
};

struct RoleSnapshot {
  std::uint32_t id = 0; // the RoleId
  RoleKind kind = RoleKind::kRelay;
  std::string name; // the operator's; may be empty
  RoleStats stats;
  std::string bound;                 // of a relay or sender
  std::string relay;                 // of a listener or sender: HOST:PORT
  std::string entity;                // of a listener or sender
  std::string target;                // of a listener
  std::string endpoint;              // of a sender that has one: what apps ask for
  std::vector<EntityStats> entities; // of a relay: those of its configuration
};

struct ShardSnapshot {
  bool answered = true; // false: it did not answer in time, and its numbers are not known
  ShardStats stats;
};

/// The calls of one function of a plugin that have completed, or were given up. Functions:
/// "acquire" (a token), "verify" (a token at a relay), "resolve" (a name).
struct PluginCallStats {
  std::string plugin;
  std::string function;
  std::map<std::string, std::uint64_t> outcomes; // by word(Code): "ok", "token-expired"
};

struct Snapshot {
  std::string version; // of Culvert
  std::string backend; // "uring" or "epoll"
  std::int64_t started_s = 0;
  std::int64_t taken_s = 0;
  std::vector<RoleSnapshot> roles; // those that have not stopped
  std::vector<ShardSnapshot> shards;
  std::vector<PluginCallStats> plugin_calls; // of all roles since the engine's start

  /// Whether every shard answers, every relay and sender accepts connections, and every listener is
  /// registered; else one sentence that names what is not.
  [[nodiscard]] std::string not_ready() const;
  /// As not_ready(), of the shards alone.
  [[nodiscard]] std::string not_healthy() const;
};

} // namespace culvert
