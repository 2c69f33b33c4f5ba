// The bounds that an embedder may set: how many, how large, how long. Bounds that follow from the
// arithmetic of the byte path cannot be set and are in core/limits.hpp.
//
// Plain values with their defaults, for any thread; they own nothing. EngineConfig has the bounds
// that all connections of a shard share; the configuration of a role has those of the role.
// limit_fields() describes each by name; check_limits() says which one is out of its range.
#pragma once

#include "culvert/status.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace culvert {

/// The bounds of each shard of an engine.
struct ShardLimits {
  /// Held bytes of one shard, all tunnels together. While there is room, turns are as large as the
  /// room; after that, as small as kMinTurnBytes. The shard can go beyond this by: kTurnBytes / 4
  /// for the turn that filled it; kMinTurnHeldBytes for each direction that came later; and 2 *
  /// kControlMessageBytes for each direction that reads framing `messages` (one message in its
  /// sink, and the next one, which counts whole from its first byte). Not counted: queues of
  /// control channels (channel_queue_bytes each), bytes read after a head, libssl's own buffers.
  std::uint64_t held_bytes = 256ULL * 1024 * 1024;
  /// After we have ended, a connection reads and discards until the peer ends, at most this long
  /// after the peer's kernel has acknowledged our last byte.
  std::uint64_t linger_ms = 5'000;
  /// How long we wait for the answer to our own error Close before the connection ends.
  std::uint64_t error_close_ms = 1'000;
  /// An ending that makes no progress for this long is dropped. A tunnel with one dead side that
  /// delivers nothing to the other side for this long ends.
  std::uint64_t abort_stall_ms = 60'000;
  /// How long a control channel waits for a pong, and never longer than one ping interval. A peer
  /// that vanished is noticed one ping interval plus this time after its last byte. With pings
  /// every 15 s that is 25 s: of the 30 s in which a lost relay must be found again, 5 s are left
  /// for the dial.
  std::uint64_t pong_ms = 10'000;
  /// A dial tries the next address of a name when the one before has not answered for this long. It
  /// still accepts a later answer of the earlier one (RFC 8305, section 5: the connection attempt
  /// delay).
  std::uint64_t next_address_ms = 250;
  /// An address that answered when an earlier one of the same name did not is tried first for this
  /// long (RFC 8305, section 4: about 10 minutes). A shard remembers at most good_addresses of
  /// them, one for each name that it dials.
  std::uint64_t good_address_ms = 600'000;
  std::uint64_t good_addresses = 64;
  /// A half-closed tunnel that is silent for this long is aborted.
  std::uint64_t half_closed_idle_ms = 3'600'000;
  /// Delay before accept is tried again when the kernel had no descriptor. A descriptor that is
  /// freed earlier ends the delay.
  std::uint64_t accept_retry_ms = 100;
  /// How long binding to an address in use is tried again. The owner may be a process that was just
  /// killed.
  std::uint64_t address_in_use_ms = 1'000;
  /// How long a role that drains waits for its tunnels to end.
  std::uint64_t drain_grace_ms = 10'000;
};

/// The bounds of one relay. Those of a shard apply to each shard.
struct RelayLimits {
  /// The most unauthenticated connections: those that have shown no valid token yet. Those from a
  /// source that has a registered listener or an open tunnel do not count here; only the share of
  /// their source binds them.
  std::uint64_t unauthenticated = 1'024;
  /// The most of one source: half, so one client without a key cannot lock out all others. A client
  /// with a key needs about 5 round trips: with 100 ms each, 512 allow 1,000 connections a second,
  /// and a listener can fetch twice as many senders at once as one source may have waiting.
  std::uint64_t unauthenticated_per_source = 512;
  /// The most of one network, the /24 of an IPv4 address or the /48 of an IPv6 one: three quarters,
  /// so that one source cannot fill the share of its network. 256 seats are left for all other
  /// networks; with 5 round trips of 100 ms they are enough for 500 connections a second.
  std::uint64_t unauthenticated_per_network = 768;
  /// Where seats are full, the oldest connection makes room for a new one when it has been
  /// unauthenticated for this long: 5 round trips of 200 ms. Whoever wants to keep all others out
  /// needs 1,024 new connections each second.
  std::uint64_t unauthenticated_grace_ms = 1'000;
  /// So many connections of one source may fail before they show a valid token: the first number at
  /// once (the second one for a source that has a registered listener or an open tunnel: a site of
  /// many apps whose key has changed), then the third number in each second. Beyond that its new
  /// connections are reset before TLS. A refused handshake costs about 0.6 ms: 50 a second are 3 %
  /// of a core.
  std::uint64_t refusals_burst_per_source = 250;
  std::uint64_t refusals_burst_per_known_source = 2'000;
  std::uint64_t refusals_per_second_per_source = 50;
  /// Each of the first refusals of a source is a line of the log, as many as a person looks at.
  /// After that only the first for each reason is a line, and the refusals number 32, 64, 128 and
  /// so on: of 292,000 refusals in two minutes, 31 were logged. Senders that leave while they wait,
  /// or that their listener refuses, count too; the renewals of each control channel have a count
  /// of their own.
  std::uint64_t refusals_logged_per_source = 16;
  /// A source that was not refused for this long is new again.
  std::uint64_t refusal_memory_ms = 60'000;
  /// Sources that the relay counts refusals of, at about 150 bytes each 2.5 MB; the refusals of all
  /// others are counted as those of one.
  std::uint64_t refused_sources = 16'384;
  /// The most connections of one shard; the same for channels and for tunnels. With 34 KB of TLS
  /// each, that is 2.2 GB.
  std::uint64_t connections_per_shard = 65'536;
  /// The most control channels of one entity, as at Azure. One more is refused.
  std::uint64_t listeners_per_entity = 25;
  /// The most tunnels of one entity, with the senders that wait for one. One more sender is
  /// refused. 0: no bound but connections_per_shard. An entity with few users, or one that needs no
  /// token of its senders, can get a bound so that it leaves room for the others.
  std::uint64_t tunnels_per_entity = 0;
  /// The most senders that wait for a listener: on one shard (enough for 16 full entities; the
  /// table then has 5 MB), for one entity, and of one source.
  std::uint64_t pending_per_shard = 16'384;
  std::uint64_t pending_per_entity = 1'000;
  std::uint64_t pending_per_source = 256;
  /// How often one sender may be offered. A new offer is made only when a listener is lost, its
  /// queue is full, or offer_repeat_ms has passed. 8 within rendezvous_ms allow for a listener lost
  /// every 4 s. An offer takes about 100 bytes, so 8 for each of pending_per_shard are 13 MB at
  /// worst.
  std::uint64_t offers_per_sender = 8;
  /// A sender that nobody has fetched for this long is offered once more, to another listener; the
  /// first offer stays good. Some listeners ignore offers when they are full. A listener that is
  /// well needs a few round trips and the dial of its target, so most come within 1 s; of 30 s, 25
  /// are left for the second one. 0: never.
  std::uint64_t offer_repeat_ms = 5'000;
  /// How long a sender waits for its listener.
  std::uint64_t rendezvous_ms = 30'000;
  /// How long a listener that closed its channel may still come for an offer it has read. The
  /// target's dial takes at most 10 s; 5 s remain for TCP, TLS and the head, which is enough even
  /// if a SYN is lost twice (1 + 2 s).
  std::uint64_t goodbye_ms = 15'000;
  /// The deadline for TLS, for the head, and for the plugin's answer to a token, each.
  std::uint64_t handshake_ms = 10'000;
  /// A control channel stays open for so long after the end of its token, so a listener that renews
  /// its token when it ends, as Microsoft's clients do, keeps its channel.
  std::uint64_t token_grace_ms = 300'000;
  /// The largest message of a listener on its control channel; its protocol may give a smaller
  /// bound.
  std::uint64_t control_message_bytes = 64ULL * 1024;
  /// Messages that wait for one control channel, each with kHeadroom for its frame. There is room
  /// for four of the largest, which leave in one turn. An offer that does not fit goes to another
  /// listener.
  std::uint64_t channel_queue_bytes = 4 * (64ULL * 1024 + 16);
};

/// The bounds of one listener or sender. Those of a shard apply to each shard.
struct ClientLimits {
  /// The deadline for a plugin's answer, for TLS, and for the relay's answer to a listener, each.
  std::uint64_t handshake_ms = 10'000;
  /// How long one address of the relay has to answer a connect, and one of a listener's target.
  std::uint64_t relay_dial_ms = 10'000;
  std::uint64_t target_dial_ms = 10'000;
  /// The deadline for the answer of an HTTP proxy, which comes when the proxy has reached the
  /// relay: half as long again as a dial of our own, for the name and its addresses.
  std::uint64_t proxy_ms = 15'000;
  /// How long a sender waits for the relay's answer, which comes when a listener has fetched it.
  std::uint64_t upgrade_ms = 40'000;
  /// How long a sender repeats a set-up that its relay refused because of overload, or reset. 1,500
  /// apps that connect at once are served within this time, and most apps wait longer.
  std::uint64_t setup_repeat_ms = 10'000;
  /// How many set-ups a sender begins with at once, on each shard: half of what a relay lets one
  /// source have waiting. After that its pace follows the relay's answers.
  std::uint64_t first_setups = 128;
  /// With tcp_health a sender waits this long for an app's first byte or its end before it opens a
  /// tunnel. A load balancer's probe ends at once; even if its end is lost, TCP sends it again
  /// within 200 ms. So much later does an app hear a service that speaks first.
  std::uint64_t health_wait_ms = 250;
  /// How long a listener tries to fetch a sender. Then it refuses the sender; 5 s of rendezvous_ms
  /// are left for that.
  std::uint64_t fetch_ms = 25'000;
  /// How long, from the offer on, a listener tries to fetch a sender or to tell the relay that it
  /// refuses it: as long as a relay keeps the sender.
  std::uint64_t rendezvous_ms = 30'000;
  /// The pauses between two attempts of a set-up or a fetch; they double.
  std::uint64_t repeat_floor_ms = 100;
  std::uint64_t repeat_ceiling_ms = 2'000;
  [[nodiscard]] std::uint64_t next_pause_ms(std::uint64_t before_ms) const {
    return std::min(std::max(2 * before_ms, repeat_floor_ms), repeat_ceiling_ms);
  }
  /// The pauses between two attempts of a listener to reach its relay again.
  std::uint64_t reconnect_floor_ms = 500;
  std::uint64_t reconnect_ceiling_ms = 15'000;
  /// The most connections of a sender that wait for their tunnel, and the most offers that a
  /// listener serves at once.
  std::uint64_t setups_per_shard = 4'096;
  std::uint64_t offers_per_shard = 4'096;
  /// The most tunnels. A tunnel needs two descriptors. If 100,000 tunnels stall in both directions
  /// after the budget is used up, they hold 8 GB (kMinTurnHeldBytes each way), or 34 GB if all of
  /// them use framing `messages`; none of our plugins uses that in a tunnel.
  std::uint64_t tunnels_per_shard = 100'000;
  /// Refusals that a full listener has in flight at the same time. A refusal takes a few round
  /// trips, so 256 at 100 ms are 2,560 a second.
  std::uint64_t refusals_per_shard = 256;
  /// Each of the first failed connections or offers of a shard is a line of the log. After that
  /// only the first for each reason is a line, and the failures number 32, 64, 128 and so on. After
  /// a time without a failure the count begins again.
  std::uint64_t failures_logged = 16;
  std::uint64_t failure_memory_ms = 60'000;
  /// Room for answers of a listener that wait for its control channel.
  std::uint64_t channel_queue_bytes = 4 * (64ULL * 1024 + 16);
};

/// One of these bounds, by name.
template <typename Limits> struct LimitField {
  std::string_view name;
  std::string_view unit; // "bytes", "ms", or empty for a count
  std::uint64_t Limits::*field;
  std::uint64_t least;
  std::uint64_t most;
  std::string_view sentence; // what it bounds
  [[nodiscard]] std::uint64_t standard() const { return Limits{}.*field; }
};

/// All bounds, in the order above.
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
