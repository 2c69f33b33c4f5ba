// The bounds that an embedder may set: how many, how large, how long. What is arithmetic of the
// byte path is no setting and stands in core/limits.hpp.
//
// Plain values with their defaults, bound to no thread; they own nothing. EngineConfig carries what
// all connections of a shard share, the configuration of a role what is of that role.
// limit_fields() describes each by name; check_limits() says which one is out of its range.
#pragma once

#include "culvert/status.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace culvert {

/// Of each shard of an engine.
struct ShardLimits {
  /// Held bytes of all tunnels together: while there is room turns are as large as it, then as
  /// small as kMinTurnBytes. So no more is held than this, what framing adds to the turn that
  /// filled it (kTurnBytes / 4), and kMinTurnHeldBytes for each direction that came later; for one
  /// that reads framing `messages` 2 * kControlMessageBytes more: the message that such a turn
  /// completed, in its sink, and the next one, which is counted whole from its first byte. Not
  /// counted: what waits for control channels (channel_queue_bytes each), bytes that were read
  /// behind a head, libssl's own buffers.
  std::uint64_t held_bytes = 256ULL * 1024 * 1024;
  /// After our last end a connection is read and discarded until the peer's end, at most so long
  /// after the queue ran empty.
  std::uint64_t linger_ms = 5'000;
  /// After an error Close of ours the server ends the connection, answered or not.
  std::uint64_t error_close_ms = 1'000;
  /// An ending that makes no progress for so long is dropped.
  std::uint64_t abort_stall_ms = 60'000;
  /// On a control channel a pong is awaited so long: a peer that vanished is noticed one ping
  /// interval and this after its last word. With pings every 15 s that is 25 s, which leaves 5 for
  /// a dial of the 30 s in which a lost relay is found again.
  std::uint64_t pong_ms = 10'000;
  /// A dial tries the next address of a name when the one before has been silent for so long, and
  /// goes on waiting for that one too (RFC 8305, section 5: the connection attempt delay).
  std::uint64_t next_address_ms = 250;
  /// For so long a dial begins with the address that answered where an earlier one did not (RFC
  /// 8305, section 4: about 10 minutes), and so many a shard remembers: one a name that it dials.
  std::uint64_t good_address_ms = 600'000;
  std::uint64_t good_addresses = 64;
  /// A half-closed tunnel that is silent for so long is aborted.
  std::uint64_t half_closed_idle_ms = 3'600'000;
  /// After the kernel refused an accept, when no descriptor was freed before.
  std::uint64_t accept_retry_ms = 100;
  /// An address in use is tried again for so long: its holder may be a process that was killed just
  /// now.
  std::uint64_t address_in_use_ms = 1'000;
  /// A role that drains lets its tunnels end for so long.
  std::uint64_t drain_grace_ms = 10'000;
};

/// Of one relay. Those of one shard hold for each shard.
struct RelayLimits {
  /// Connections that have shown no token yet. Those from a source that has a registered listener
  /// or an open tunnel do not count here; only the share of their source binds them.
  std::uint64_t unauthenticated = 1'024;
  /// Of one source: half, so that one without a key shuts nobody else out. Who has one is through
  /// in about 5 round trips: 512 at 100 ms are 1,000 connections a second, and a listener may come
  /// for twice as many senders at once as one sender may have waiting.
  std::uint64_t unauthenticated_per_source = 512;
  /// Of one network, the /24 of an IPv4 address or the /48 of an IPv6 one: three quarters, more
  /// than one source of it, and 256 are left for the rest of the world: 500 connections a second at
  /// 5 round trips of 100 ms.
  std::uint64_t unauthenticated_per_network = 768;
  /// Where seats are full, the oldest connection makes room for a new one when it is
  /// unauthenticated for so long: 5 round trips of 200 ms. Whoever wants to keep all others out
  /// needs 1,024 new connections each second.
  std::uint64_t unauthenticated_grace_ms = 1'000;
  /// A source may come to nothing so often, first at once and then a second, before its new
  /// connections are reset before TLS; never those of a source that has a registered listener or an
  /// open tunnel. A refused handshake costs about 0.6 ms: 50 a second are 3 % of a core.
  std::uint64_t refusals_burst_per_source = 250;
  std::uint64_t refusals_per_second_per_source = 50;
  /// The first refusals of a source are a line of the log each, as many as a person looks at. Then
  /// the first for each reason and each power of two is: of 292,000 in two minutes 31.
  std::uint64_t refusals_logged_per_source = 16;
  /// A source that was not refused for so long is new again.
  std::uint64_t refusal_memory_ms = 60'000;
  /// Sources that the relay counts refusals of, at about 150 bytes each 2.5 MB; the refusals of all
  /// others are counted as those of one.
  std::uint64_t refused_sources = 16'384;
  /// Connections, channels and tunnels of one shard, each: at 34 KB of TLS a connection 2.2 GB.
  std::uint64_t connections_per_shard = 65'536;
  /// Senders that wait for a listener: on one shard (16 full entities, 5 MB of table), for one
  /// entity, and of one source.
  std::uint64_t pending_per_shard = 16'384;
  std::uint64_t pending_per_entity = 1'000;
  std::uint64_t pending_per_source = 256;
  /// Offers for one sender. Each further one takes the loss of a listener or a full queue: of a
  /// fleet that is restarted one by one, 8 within rendezvous_ms would be one every 4 s. At 48 bytes
  /// an offer 8 are 384 bytes a sender, 6 MiB of pending_per_shard at the worst.
  std::uint64_t offers_per_sender = 8;
  /// A sender waits so long for its listener.
  std::uint64_t rendezvous_ms = 30'000;
  /// A listener that closed its channel may still come for what it was offered: 10 s for a target
  /// that answers last of all, and 5 s for TCP, TLS and a head to a relay it just spoke to, which
  /// even with a SYN lost twice (1 + 2 s) is enough.
  std::uint64_t goodbye_ms = 15'000;
  /// TLS, the head, and the plugin's answer to a token, each.
  std::uint64_t handshake_ms = 10'000;
  /// A message of a listener on its control channel; its protocol may name a smaller bound.
  std::uint64_t control_message_bytes = 64ULL * 1024;
  /// Messages that wait for one control channel, each with kHeadroom for its frame; what does not
  /// fit goes to another listener. Four of the largest; they leave in one turn.
  std::uint64_t channel_queue_bytes = 4 * (64ULL * 1024 + 16);
};

/// Of one listener or sender. Those of one shard hold for each shard.
struct ClientLimits {
  /// A plugin's answer, TLS, and the relay's answer to a listener, each.
  std::uint64_t handshake_ms = 10'000;
  std::uint64_t relay_dial_ms = 10'000;
  std::uint64_t target_dial_ms = 10'000; // of a listener
  /// A sender waits so long for the relay's answer, which comes with its listener.
  std::uint64_t upgrade_ms = 40'000;
  /// A sender repeats a set-up that its relay refused for overload, or reset, for so long: a crowd
  /// of 1,500 apps is served within it, and most apps wait longer.
  std::uint64_t setup_repeat_ms = 10'000;
  /// A sender begins with so many set-ups at once, one part a shard: half of what a relay lets one
  /// source have waiting. From there its pace follows what the relay takes.
  std::uint64_t first_setups = 128;
  /// A listener tries to fetch a sender for so long, and tells it then that it cannot; that leaves
  /// 5 s of rendezvous_ms, in which the relay still lets it say so.
  std::uint64_t fetch_ms = 25'000;
  std::uint64_t rendezvous_ms = 30'000;
  /// The pauses between two tries of either, which double.
  std::uint64_t repeat_floor_ms = 100;
  std::uint64_t repeat_ceiling_ms = 2'000;
  [[nodiscard]] std::uint64_t next_pause_ms(std::uint64_t before_ms) const {
    return std::min(std::max(2 * before_ms, repeat_floor_ms), repeat_ceiling_ms);
  }
  /// Between two tries of a listener to find its relay again.
  std::uint64_t reconnect_floor_ms = 500;
  std::uint64_t reconnect_ceiling_ms = 15'000;
  /// Connections of a sender that wait for their tunnel, and offers a listener serves at once.
  std::uint64_t setups_per_shard = 4'096;
  std::uint64_t offers_per_shard = 4'096;
  /// Tunnels: each needs two descriptors, and 100,000 of them, stalled both ways with the budget
  /// out, hold 8 GB (kMinTurnHeldBytes each way); 34 GB if all read framing `messages`, for which
  /// no plugin of ours asks in a tunnel.
  std::uint64_t tunnels_per_shard = 100'000;
  /// Offers it refuses at once because it serves as many as it can: a refusal lives a few round
  /// trips, so 256 at 100 ms are 2,560 a second.
  std::uint64_t refusals_per_shard = 256;
  /// Answers of a listener that wait for its control channel.
  std::uint64_t channel_queue_bytes = 4 * (64ULL * 1024 + 16);
};

/// One of these bounds, by name.
template <typename Limits> struct LimitField {
  std::string_view name;
  std::string_view unit; // "bytes", "ms", or empty for a count
  std::uint64_t Limits::*field;
  std::uint64_t least;
  std::uint64_t most;
  [[nodiscard]] std::uint64_t standard() const { return Limits{}.*field; }
};

/// All of them, in the order above.
template <typename Limits> std::span<const LimitField<Limits>> limit_fields();
template <> std::span<const LimitField<ShardLimits>> limit_fields();
template <> std::span<const LimitField<RelayLimits>> limit_fields();
template <> std::span<const LimitField<ClientLimits>> limit_fields();

/// The sentence about a value that is out of its range.
Status limit_out_of_range(std::string_view name, std::string_view unit, std::uint64_t value,
                          std::uint64_t least, std::uint64_t most);

/// Success, or the first field that is out of its range, with its value and its range.
template <typename Limits> Status check_limits(const Limits &limits) {
  for (const LimitField<Limits> &field : limit_fields<Limits>()) {
    const std::uint64_t value = limits.*field.field;
    if (value < field.least || value > field.most) {
      return limit_out_of_range(field.name, field.unit, value, field.least, field.most);
    }
  }
  return {};
}

} // namespace culvert
