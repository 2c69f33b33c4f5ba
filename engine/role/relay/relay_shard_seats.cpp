#include "role/relay/relay_shard.hpp"

#include <string>

namespace culvert {
namespace {

/// While connections are turned away, each shard logs it once in this time.
constexpr std::uint64_t kCrowdedLogMs = 10'000;

} // namespace

Seat RelayShard::find_seat(const Origin &origin) {
  if (connections_.size() >= most()) {
    log_crowded("too many connections: new ones are turned away");
    return Seat::kNone;
  }
  const std::uint64_t now_ns = shard_.io.now_ns();
  const Sources::Admission first = relay_.take_seat(origin, limits(), now_ns);
  Connection *const oldest = oldest_to_make_room(first.answer, origin);
  if (oldest != nullptr) {
    oldest->make_room();
  }
  if (first.answer != Sources::Answer::kTaken) {
    log_full(first, origin, oldest != nullptr);
  }
  if (oldest == nullptr) {
    return first.seat;
  }
  // Another shard may have taken what was freed, or another bound is reached too: then this one is
  // turned away.
  const Sources::Admission second = relay_.take_seat(origin, limits(), now_ns);
  if (second.answer != Sources::Answer::kTaken) {
    log_full(second, origin, false);
  }
  return second.seat;
}

/// Only of this shard: connections are dealt at random, so it has its part of the oldest.
Connection *RelayShard::oldest_to_make_room(Sources::Answer full, const Origin &newcomer) {
  if (full == Sources::Answer::kTaken || full == Sources::Answer::kRefusedTooOften) {
    return nullptr;
  }
  const std::uint64_t grace_ns = limits().unauthenticated_grace_ms * 1'000'000U;
  for (Connection *each = seated_.front(); each != nullptr; each = seated_.after(*each)) {
    if (each->arrived_ns() + grace_ns > shard_.io.now_ns()) {
      return nullptr;
    }
    if (each->can_make_room(full, newcomer)) {
      return each;
    }
  }
  return nullptr;
}

void RelayShard::log_full(const Sources::Admission &admission, const Origin &origin,
                          bool made_room) {
  const std::string then =
      made_room ? ": the oldest make room for new ones" : ": new ones are turned away";
  if (admission.answer == Sources::Answer::kFull) {
    log_crowded("too many connections say nothing yet" + then);
  } else if (admission.told) {
    return;
  } else if (admission.answer == Sources::Answer::kSourceFull) {
    log(LogLevel::kWarn, "too many connections of one address say nothing yet" + then,
        {{"source", origin.source}});
  } else if (admission.answer == Sources::Answer::kNetworkFull) {
    log(LogLevel::kWarn, "too many connections of one network say nothing yet" + then,
        {{"network", origin.network}});
  } else {
    log(LogLevel::kWarn,
        "too many connections of one address were refused: some of its new ones are reset",
        {{"source", origin.source}});
  }
}

void RelayShard::log_crowded(std::string_view what) {
  const std::uint64_t now_ns = shard_.io.now_ns();
  if (now_ns >= crowded_log_ns_) {
    crowded_log_ns_ = now_ns + kCrowdedLogMs * 1'000'000U;
    log(LogLevel::kWarn, what, {});
  }
}

} // namespace culvert
