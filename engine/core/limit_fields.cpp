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
                            kMostHeldBytes},
    LimitField<ShardLimits>{"linger_ms", "ms", &ShardLimits::linger_ms, 100, 600'000},
    LimitField<ShardLimits>{"error_close_ms", "ms", &ShardLimits::error_close_ms, 100, 600'000},
    LimitField<ShardLimits>{"abort_stall_ms", "ms", &ShardLimits::abort_stall_ms, 1'000, kHourMs},
    LimitField<ShardLimits>{"pong_ms", "ms", &ShardLimits::pong_ms, 100, 600'000},
    LimitField<ShardLimits>{"next_address_ms", "ms", &ShardLimits::next_address_ms, 10, 60'000},
    LimitField<ShardLimits>{"good_address_ms", "ms", &ShardLimits::good_address_ms, 0,
                            24 * kHourMs},
    LimitField<ShardLimits>{"good_addresses", "", &ShardLimits::good_addresses, 1, 65'536},
    LimitField<ShardLimits>{"half_closed_idle_ms", "ms", &ShardLimits::half_closed_idle_ms, 1'000,
                            7 * 24 * kHourMs},
    LimitField<ShardLimits>{"accept_retry_ms", "ms", &ShardLimits::accept_retry_ms, 1, 60'000},
    LimitField<ShardLimits>{"address_in_use_ms", "ms", &ShardLimits::address_in_use_ms, 0, 60'000},
    LimitField<ShardLimits>{"drain_grace_ms", "ms", &ShardLimits::drain_grace_ms, 0, 24 * kHourMs},
};

constexpr std::array kRelayFields{
    LimitField<RelayLimits>{"unauthenticated", "", &RelayLimits::unauthenticated, 1, kMost},
    LimitField<RelayLimits>{"unauthenticated_per_source", "",
                            &RelayLimits::unauthenticated_per_source, 1, kMost},
    LimitField<RelayLimits>{"unauthenticated_per_network", "",
                            &RelayLimits::unauthenticated_per_network, 1, kMost},
    LimitField<RelayLimits>{"unauthenticated_grace_ms", "ms",
                            &RelayLimits::unauthenticated_grace_ms, 0, kHourMs},
    LimitField<RelayLimits>{"refusals_burst_per_source", "",
                            &RelayLimits::refusals_burst_per_source, 1, kMost},
    LimitField<RelayLimits>{"refusals_burst_per_known_source", "",
                            &RelayLimits::refusals_burst_per_known_source, 1, kMost},
    LimitField<RelayLimits>{"refusals_per_second_per_source", "",
                            &RelayLimits::refusals_per_second_per_source, 1, kMost},
    LimitField<RelayLimits>{"refusals_logged_per_source", "",
                            &RelayLimits::refusals_logged_per_source, 0, kMost},
    LimitField<RelayLimits>{"refusal_memory_ms", "ms", &RelayLimits::refusal_memory_ms, 0, kHourMs},
    LimitField<RelayLimits>{"refused_sources", "", &RelayLimits::refused_sources, 0, kMost},
    LimitField<RelayLimits>{"connections_per_shard", "", &RelayLimits::connections_per_shard, 1,
                            kMost},
    LimitField<RelayLimits>{"listeners_per_entity", "", &RelayLimits::listeners_per_entity, 1,
                            kMost},
    LimitField<RelayLimits>{"pending_per_shard", "", &RelayLimits::pending_per_shard, 1, kMost},
    LimitField<RelayLimits>{"pending_per_entity", "", &RelayLimits::pending_per_entity, 1, kMost},
    LimitField<RelayLimits>{"pending_per_source", "", &RelayLimits::pending_per_source, 1, kMost},
    LimitField<RelayLimits>{"offers_per_sender", "", &RelayLimits::offers_per_sender, 1, 64},
    LimitField<RelayLimits>{"offer_repeat_ms", "ms", &RelayLimits::offer_repeat_ms, 0, kHourMs},
    LimitField<RelayLimits>{"rendezvous_ms", "ms", &RelayLimits::rendezvous_ms, 100, kHourMs},
    LimitField<RelayLimits>{"goodbye_ms", "ms", &RelayLimits::goodbye_ms, 0, kHourMs},
    LimitField<RelayLimits>{"handshake_ms", "ms", &RelayLimits::handshake_ms, 100, kHourMs},
    LimitField<RelayLimits>{"token_grace_ms", "ms", &RelayLimits::token_grace_ms, 0, 24 * kHourMs},
    LimitField<RelayLimits>{"control_message_bytes", "bytes", &RelayLimits::control_message_bytes,
                            1'024, kControlMessageBytes},
    LimitField<RelayLimits>{"channel_queue_bytes", "bytes", &RelayLimits::channel_queue_bytes,
                            kLeastQueueBytes, kMostQueueBytes},
};

constexpr std::array kClientFields{
    LimitField<ClientLimits>{"handshake_ms", "ms", &ClientLimits::handshake_ms, 100, kHourMs},
    LimitField<ClientLimits>{"relay_dial_ms", "ms", &ClientLimits::relay_dial_ms, 100, kHourMs},
    LimitField<ClientLimits>{"target_dial_ms", "ms", &ClientLimits::target_dial_ms, 100, kHourMs},
    LimitField<ClientLimits>{"upgrade_ms", "ms", &ClientLimits::upgrade_ms, 100, kHourMs},
    LimitField<ClientLimits>{"setup_repeat_ms", "ms", &ClientLimits::setup_repeat_ms, 0, kHourMs},
    LimitField<ClientLimits>{"first_setups", "", &ClientLimits::first_setups, 1, kMost},
    LimitField<ClientLimits>{"fetch_ms", "ms", &ClientLimits::fetch_ms, 100, kHourMs},
    LimitField<ClientLimits>{"rendezvous_ms", "ms", &ClientLimits::rendezvous_ms, 100, kHourMs},
    LimitField<ClientLimits>{"repeat_floor_ms", "ms", &ClientLimits::repeat_floor_ms, 1, kHourMs},
    LimitField<ClientLimits>{"repeat_ceiling_ms", "ms", &ClientLimits::repeat_ceiling_ms, 1,
                             kHourMs},
    LimitField<ClientLimits>{"reconnect_floor_ms", "ms", &ClientLimits::reconnect_floor_ms, 10,
                             kFloorToCeilingMs},
    LimitField<ClientLimits>{"reconnect_ceiling_ms", "ms", &ClientLimits::reconnect_ceiling_ms,
                             kFloorToCeilingMs, kHourMs},
    LimitField<ClientLimits>{"setups_per_shard", "", &ClientLimits::setups_per_shard, 1, kMost},
    LimitField<ClientLimits>{"offers_per_shard", "", &ClientLimits::offers_per_shard, 1, kMost},
    LimitField<ClientLimits>{"tunnels_per_shard", "", &ClientLimits::tunnels_per_shard, 1, kMost},
    LimitField<ClientLimits>{"refusals_per_shard", "", &ClientLimits::refusals_per_shard, 0, kMost},
    LimitField<ClientLimits>{"failures_logged", "", &ClientLimits::failures_logged, 0, kMost},
    LimitField<ClientLimits>{"failure_memory_ms", "ms", &ClientLimits::failure_memory_ms, 0,
                             kHourMs},
    LimitField<ClientLimits>{"channel_queue_bytes", "bytes", &ClientLimits::channel_queue_bytes,
                             kLeastQueueBytes, kMostQueueBytes},
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
