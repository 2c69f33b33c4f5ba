#include "core/limits.hpp"
#include "culvert/limits.hpp"

#include <array>
#include <string>

namespace culvert {
namespace {

constexpr std::uint64_t kHourMs = 3'600'000;
constexpr std::uint64_t kMost = 1ULL << 20U; // for every count: slots have 32-bit numbers
constexpr std::uint64_t kMostHeldBytes = 1ULL << 40U;
// A queue has room for the largest message, and is sent in one turn.
constexpr std::uint64_t kLeastQueueBytes = kControlMessageBytes + kHeadroom;
constexpr std::uint64_t kMostQueueBytes = 4 * kLeastQueueBytes;
static_assert(kMostQueueBytes <= kDirectionHeldBytes);
// The floor of a wait is never above its ceiling.
constexpr std::uint64_t kFloorToCeilingMs = 5'000;

constexpr std::array kShardFields{
    LimitField<ShardLimits>{"held_bytes", "bytes", &ShardLimits::held_bytes, kTurnBytes,
                            kMostHeldBytes,
                            "Bytes that one shard keeps for slow receivers, all tunnels together"},
    LimitField<ShardLimits>{
        "linger_ms", "ms", &ShardLimits::linger_ms, 100, 600'000,
        "How long a connection that we have ended waits for the end of its peer"},
    LimitField<ShardLimits>{"error_close_ms", "ms", &ShardLimits::error_close_ms, 100, 600'000,
                            "How long the answer to our own error Close is awaited"},
    LimitField<ShardLimits>{"abort_stall_ms", "ms", &ShardLimits::abort_stall_ms, 1'000, kHourMs,
                            "An ending that makes no progress is dropped after this time"},
    LimitField<ShardLimits>{"pong_ms", "ms", &ShardLimits::pong_ms, 100, 600'000,
                            "How long a control channel waits for a pong"},
    LimitField<ShardLimits>{"next_address_ms", "ms", &ShardLimits::next_address_ms, 10, 60'000,
                            "A dial tries the next address of a name after this time"},
    LimitField<ShardLimits>{"good_address_ms", "ms", &ShardLimits::good_address_ms, 0, 24 * kHourMs,
                            "How long an address that answered is tried first"},
    LimitField<ShardLimits>{"good_addresses", "", &ShardLimits::good_addresses, 1, 65'536,
                            "How many of these addresses a shard remembers"},
    LimitField<ShardLimits>{"half_closed_idle_ms", "ms", &ShardLimits::half_closed_idle_ms, 1'000,
                            7 * 24 * kHourMs,
                            "A half-closed tunnel that is silent for this time is aborted"},
    LimitField<ShardLimits>{"accept_retry_ms", "ms", &ShardLimits::accept_retry_ms, 1, 60'000,
                            "The pause before accept is tried again when no descriptor was left"},
    LimitField<ShardLimits>{"address_in_use_ms", "ms", &ShardLimits::address_in_use_ms, 0, 60'000,
                            "How long binding to an address in use is tried again"},
    LimitField<ShardLimits>{"drain_grace_ms", "ms", &ShardLimits::drain_grace_ms, 0, 24 * kHourMs,
                            "How long a role that drains waits for its tunnels to end"},
};

constexpr std::array kRelayFields{
    LimitField<RelayLimits>{"unauthenticated", "", &RelayLimits::unauthenticated, 1, kMost,
                            "The most connections that have shown no valid token yet"},
    LimitField<RelayLimits>{"unauthenticated_per_source", "",
                            &RelayLimits::unauthenticated_per_source, 1, kMost,
                            "The most of these from one address"},
    LimitField<RelayLimits>{"unauthenticated_per_network", "",
                            &RelayLimits::unauthenticated_per_network, 1, kMost,
                            "The most of these from one network (/24 of IPv4, /48 of IPv6)"},
    LimitField<RelayLimits>{"unauthenticated_grace_ms", "ms",
                            &RelayLimits::unauthenticated_grace_ms, 0, kHourMs,
                            "How old the oldest of these must be to make room for a new one"},
    LimitField<RelayLimits>{"refusals_burst_per_source", "",
                            &RelayLimits::refusals_burst_per_source, 1, kMost,
                            "How many connections of one address may fail at once"},
    LimitField<RelayLimits>{"refusals_burst_per_known_source", "",
                            &RelayLimits::refusals_burst_per_known_source, 1, kMost,
                            "The same for an address with a listener or an open tunnel"},
    LimitField<RelayLimits>{"refusals_per_second_per_source", "",
                            &RelayLimits::refusals_per_second_per_source, 1, kMost,
                            "How many may fail in each second after that"},
    LimitField<RelayLimits>{"refusals_logged_per_source", "",
                            &RelayLimits::refusals_logged_per_source, 0, kMost,
                            "How many refusals of one address are lines of the log"},
    LimitField<RelayLimits>{"refusal_memory_ms", "ms", &RelayLimits::refusal_memory_ms, 0, kHourMs,
                            "An address that was not refused for this time is new again"},
    LimitField<RelayLimits>{"refused_sources", "", &RelayLimits::refused_sources, 0, kMost,
                            "How many addresses a relay counts the refusals of"},
    LimitField<RelayLimits>{
        "connections_per_shard", "", &RelayLimits::connections_per_shard, 1, kMost,
        "The most connections of a shard; the same for channels and for tunnels"},
    LimitField<RelayLimits>{"listeners_per_entity", "", &RelayLimits::listeners_per_entity, 1,
                            kMost, "The most control channels of one entity"},
    LimitField<RelayLimits>{"tunnels_per_entity", "", &RelayLimits::tunnels_per_entity, 0, kMost,
                            "The most tunnels and waiting senders of one entity; 0: no such bound"},
    LimitField<RelayLimits>{"pending_per_shard", "", &RelayLimits::pending_per_shard, 1, kMost,
                            "The most senders that wait for a listener on one shard"},
    LimitField<RelayLimits>{"pending_per_entity", "", &RelayLimits::pending_per_entity, 1, kMost,
                            "The most senders that wait for a listener of one entity"},
    LimitField<RelayLimits>{"pending_per_source", "", &RelayLimits::pending_per_source, 1, kMost,
                            "The most senders of one address that wait for a listener"},
    LimitField<RelayLimits>{"offers_per_sender", "", &RelayLimits::offers_per_sender, 1, 64,
                            "How often one sender is offered to listeners"},
    LimitField<RelayLimits>{
        "offer_repeat_ms", "ms", &RelayLimits::offer_repeat_ms, 0, kHourMs,
        "When a sender that nobody has fetched is offered to another listener; 0: never"},
    LimitField<RelayLimits>{"rendezvous_ms", "ms", &RelayLimits::rendezvous_ms, 100, kHourMs,
                            "How long a sender waits at a relay for its listener"},
    LimitField<RelayLimits>{
        "goodbye_ms", "ms", &RelayLimits::goodbye_ms, 0, kHourMs,
        "How long a listener that closed its channel may still come for an offer"},
    LimitField<RelayLimits>{
        "handshake_ms", "ms", &RelayLimits::handshake_ms, 100, kHourMs,
        "The deadline for TLS, for a head, and for the answer of a plugin, each"},
    LimitField<RelayLimits>{"token_grace_ms", "ms", &RelayLimits::token_grace_ms, 0, 24 * kHourMs,
                            "How long a control channel stays open after the end of its token"},
    LimitField<RelayLimits>{"control_message_bytes", "bytes", &RelayLimits::control_message_bytes,
                            1'024, kControlMessageBytes,
                            "The largest message of a listener on its control channel"},
    LimitField<RelayLimits>{"channel_queue_bytes", "bytes", &RelayLimits::channel_queue_bytes,
                            kLeastQueueBytes, kMostQueueBytes,
                            "Bytes of messages that wait for one control channel"},
};

constexpr std::array kClientFields{
    LimitField<ClientLimits>{
        "handshake_ms", "ms", &ClientLimits::handshake_ms, 100, kHourMs,
        "The deadline for TLS, for the relay's answer, and for a plugin's, each"},
    LimitField<ClientLimits>{"relay_dial_ms", "ms", &ClientLimits::relay_dial_ms, 100, kHourMs,
                             "The deadline for a connection to one address of the relay"},
    LimitField<ClientLimits>{"proxy_ms", "ms", &ClientLimits::proxy_ms, 100, kHourMs,
                             "The deadline for a proxy's answer, when it has reached the relay"},
    LimitField<ClientLimits>{"target_dial_ms", "ms", &ClientLimits::target_dial_ms, 100, kHourMs,
                             "The deadline for a connection to one address of the target"},
    LimitField<ClientLimits>{"upgrade_ms", "ms", &ClientLimits::upgrade_ms, 100, kHourMs,
                             "How long a sender waits until the relay answers with a tunnel"},
    LimitField<ClientLimits>{"setup_repeat_ms", "ms", &ClientLimits::setup_repeat_ms, 0, kHourMs,
                             "How long a sender repeats a set-up that its relay refused or reset"},
    LimitField<ClientLimits>{"first_setups", "", &ClientLimits::first_setups, 1, kMost,
                             "How many set-ups a sender begins with at once, on each shard"},
    LimitField<ClientLimits>{"health_wait_ms", "ms", &ClientLimits::health_wait_ms, 1, 60'000,
                             "With tcp_health, how long a sender waits for an app's first byte "
                             "before it opens a tunnel"},
    LimitField<ClientLimits>{"fetch_ms", "ms", &ClientLimits::fetch_ms, 100, kHourMs,
                             "How long a listener tries to fetch a sender"},
    LimitField<ClientLimits>{"rendezvous_ms", "ms", &ClientLimits::rendezvous_ms, 100, kHourMs,
                             "How long a listener tries to answer an offer"},
    LimitField<ClientLimits>{"repeat_floor_ms", "ms", &ClientLimits::repeat_floor_ms, 1, kHourMs,
                             "The shortest pause between two attempts of a set-up or a fetch"},
    LimitField<ClientLimits>{"repeat_ceiling_ms", "ms", &ClientLimits::repeat_ceiling_ms, 1,
                             kHourMs,
                             "The longest pause between two attempts of a set-up or a fetch"},
    LimitField<ClientLimits>{"reconnect_floor_ms", "ms", &ClientLimits::reconnect_floor_ms, 10,
                             kFloorToCeilingMs,
                             "The shortest pause between two attempts to reach the relay again"},
    LimitField<ClientLimits>{"reconnect_ceiling_ms", "ms", &ClientLimits::reconnect_ceiling_ms,
                             kFloorToCeilingMs, kHourMs,
                             "The longest pause between two attempts to reach the relay again"},
    LimitField<ClientLimits>{
        "setups_per_shard", "", &ClientLimits::setups_per_shard, 1, kMost,
        "The most connections of a sender that wait for their tunnel, on each shard"},
    LimitField<ClientLimits>{"offers_per_shard", "", &ClientLimits::offers_per_shard, 1, kMost,
                             "The most offers that a listener serves at once, on each shard"},
    LimitField<ClientLimits>{"tunnels_per_shard", "", &ClientLimits::tunnels_per_shard, 1, kMost,
                             "The most tunnels of a listener or sender, on each shard"},
    LimitField<ClientLimits>{"refusals_per_shard", "", &ClientLimits::refusals_per_shard, 0, kMost,
                             "How many refusals a full listener has in flight, on each shard"},
    LimitField<ClientLimits>{"failures_logged", "", &ClientLimits::failures_logged, 0, kMost,
                             "How many failures of a shard are lines of the log"},
    LimitField<ClientLimits>{"failure_memory_ms", "ms", &ClientLimits::failure_memory_ms, 0,
                             kHourMs, "After this time without a failure the log counts anew"},
    LimitField<ClientLimits>{"channel_queue_bytes", "bytes", &ClientLimits::channel_queue_bytes,
                             kLeastQueueBytes, kMostQueueBytes,
                             "Bytes of answers that wait for a control channel"},
};

} // namespace

template <> std::span<const LimitField<ShardLimits>> limit_fields() {
  return kShardFields;
}
template <> std::span<const LimitField<RelayLimits>> limit_fields() {
  return kRelayFields;
}
template <> std::span<const LimitField<ClientLimits>> limit_fields() {
  return kClientFields;
}

Status limit_out_of_range(std::string_view name, std::string_view unit, std::uint64_t value,
                          std::uint64_t least, std::uint64_t most) {
  const std::string suffix = unit.empty() ? "" : " " + std::string(unit);
  return Status::config("limit '" + std::string(name) + "' is " + std::to_string(value) + suffix +
                        "; write " + std::to_string(least) + " to " + std::to_string(most) +
                        suffix);
}

} // namespace culvert
