// The token of a control channel: how long the channel may stay open, and the renewals that move
// this.
//
// Belongs to its channel, on one shard. A channel ends RelayLimits::token_grace_ms after the end of
// its token, or when a renewal is refused; then `over` runs once, with the reason. A renewal is
// judged like the first token, by the rules that the relay has at that time. A renewal that the
// auth plugin cannot judge changes nothing: the channel keeps its time.
#pragma once

#include "io/wall_timer.hpp"
#include "role/relay/authorization.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace culvert {

class RelayShard;

class ChannelToken {
public:
  /// `expires_s`: unix seconds; 0: not known, so the channel has no end. `judged` runs for each
  /// renewal that is not refused: success, or why it could not be judged.
  ChannelToken(RelayShard &relay, std::string entity, std::string path, std::int64_t expires_s,
               Delegate<const Status &> judged, Delegate<const Status &> over);
  ChannelToken(const ChannelToken &) = delete;
  ChannelToken &operator=(const ChannelToken &) = delete;

  void start();
  /// One renewal is judged at a time; of those that arrive meanwhile, the last is judged next.
  void renew(std::string token);
  /// Neither delegate runs any more, except `judged` once when the one in flight has ended.
  void stop();
  [[nodiscard]] bool in_flight() const { return authorization_.in_flight(); }

private:
  void expire();
  void judge(std::string_view token);
  void give_up() { authorization_.abandon(); }
  void on_judged(const Result<Grant> &grant);
  void go_on(const Status &status);

  RelayShard &relay_;
  const std::string entity_; // as configured
  const std::string path_;   // as the listener asked for it
  std::int64_t expires_s_;
  const Delegate<const Status &> judged_;
  const Delegate<const Status &> over_;
  bool stopped_ = false;
  WallTimer end_;
  Timer deadline_; // of the judgement
  Authorization authorization_;
  std::optional<std::string> next_;
};

} // namespace culvert
