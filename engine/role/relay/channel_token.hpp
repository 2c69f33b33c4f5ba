// The token of a control channel: how long the channel may stay open, and the renewals that move
// this.
//
// Belongs to its channel, on one shard; it owns the latest good token, as a secret. A channel ends
// RelayLimits::token_grace_ms after the end of its token, or when a renewal is refused; then `over`
// runs once, with the reason. A renewal is judged like the first token, by the rules that the relay
// has at that time. When the rules change, the token that the channel has is judged again: if it is
// refused, it ends now, and the grace begins. A token that the auth plugin cannot judge changes
// nothing: the channel keeps its time.
#pragma once

#include "culvert/secret.hpp"
#include "io/wall_timer.hpp"
#include "role/relay/authorization.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace culvert {

class RelayShard;

class ChannelToken {
public:
  /// `expires_s`: unix seconds; 0: not known, so the channel has no end. `judged` runs with success
  /// for a renewal that is good, with the reason for a token that could not be judged, and with the
  /// refusal of a token that was judged again.
  ChannelToken(RelayShard &relay, std::string entity, std::string path, Secret token,
               std::int64_t expires_s, Delegate<const Status &> judged,
               Delegate<const Status &> over);
  ChannelToken(const ChannelToken &) = delete;
  ChannelToken &operator=(const ChannelToken &) = delete;

  /// Whether a verdict is about the token: else it was not judged.
  static bool refuses(const Status &verdict) {
    return refuses_token(verdict.code) || verdict.code == Code::kNoEntity;
  }
  void start();
  /// One renewal is judged at a time; of those that arrive meanwhile, the last is judged next.
  void renew(std::string token);
  /// Judges the token that it has by the rules of now.
  void judge_again();
  /// Neither delegate runs any more, except `judged` once when the one in flight has ended.
  void stop();
  [[nodiscard]] bool in_flight() const { return authorization_.in_flight(); }

private:
  enum class Question : std::uint8_t { kRenewal, kAgain };

  void expire() { over_(why_over_); }
  void ask_next();
  void judge(Question question, const Secret &token);
  void give_up() { authorization_.abandon(); }
  void on_judged(const Result<Grant> &grant);
  [[nodiscard]] Status verdict(const Result<Grant> &grant) const;
  void end_at(std::int64_t expires_s, Status why);

  RelayShard &relay_;
  const std::string entity_; // as configured
  const std::string path_;   // as the listener asked for it
  Secret token_;             // the latest good one
  std::int64_t expires_s_;
  Status why_over_; // what the channel is told at the end
  const Delegate<const Status &> judged_;
  const Delegate<const Status &> over_;
  bool stopped_ = false;
  WallTimer end_;
  Timer deadline_; // of the judgement
  Authorization authorization_;
  Question question_ = Question::kRenewal; // the latest
  Secret renewal_;                         // that is judged
  std::optional<Secret> next_;             // the renewal behind it
  bool again_ = false;                     // the rules have changed
};

} // namespace culvert
