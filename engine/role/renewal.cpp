#include "role/renewal.hpp"

#include <algorithm>

namespace culvert {
namespace {

/// Between two questions to a plugin that had no other token.
constexpr std::int64_t kLeastPauseSec = 1;
constexpr std::int64_t kMostPauseSec = 60;

} // namespace

Renewal::Renewal(const ClientKit &kit, Delegate<const Token &> renewed,
                 Delegate<const Status &> failed, Delegate<> settled)
    : kit_(kit), renewed_(renewed), failed_(failed), settled_(settled), timer_(kit.shard.io) {
  timer_.bind<&Renewal::ask>(*this);
  deadline_.bind<&Renewal::give_up>(*this);
  acquire_.bind<&Renewal::on_token>(*this);
}

void Renewal::start(const EntityAddress &entity, const Token &first) {
  CULVERT_ASSERT(state_ == State::kStopped && !in_flight());
  entity_ = entity;
  state_ = State::kWaiting;
  has(first);
}

void Renewal::use_other_auth() {
  id_.reset();
  if (state_ == State::kWaiting && expires_s_ != 0) {
    timer_.disarm();
    ask_at(kit_.shard.io.wall_s());
  }
}

void Renewal::refused() {
  if (id_) {
    kit_.auth.refused(*id_);
  }
}

void Renewal::stop() {
  state_ = State::kStopped;
  timer_.disarm();
  deadline_.disarm();
  acquire_.abandon();
}

void Renewal::has(const Token &token) {
  id_ = token.id;
  expires_s_ = token.expires_s;
  if (expires_s_ == 0) {
    return;
  }
  const std::int64_t left_s = std::max<std::int64_t>(expires_s_ - kit_.shard.io.wall_s(), 0);
  const std::int64_t at_s = expires_s_ - left_s / 4;
  ask_at(token.renew_after_s > 0 ? std::min(at_s, token.renew_after_s) : at_s);
}

void Renewal::ask_at(std::int64_t wall_s) {
  timer_.arm(std::max(wall_s, kit_.shard.io.wall_s() + kLeastPauseSec));
}

void Renewal::ask() {
  const Result<std::string> audience = kit_.transport.audience(entity_);
  if (!audience.ok()) {
    not_renewed(audience.status());
    return;
  }
  state_ = State::kAsking;
  asked_of_ = kit_.held;
  kit_.shard.io.arm_after_ms(deadline_, kit_.limits->handshake_ms);
  kit_.auth.acquire(acquire_, audience.value());
}

void Renewal::on_token(Outcome) {
  deadline_.disarm();
  asked_of_.reset();
  if (state_ == State::kStopped) {
    settled_();
    return;
  }
  state_ = State::kWaiting;
  if (!acquire_.result.ok()) {
    not_renewed(acquire_.result.status());
    return;
  }
  const Token token = std::move(acquire_.result.value());
  const std::int64_t now_s = kit_.shard.io.wall_s();
  if (token.id != id_) {
    has(token);
    renewed_(token);               // it may stop this
  } else if (now_s < expires_s_) { // the plugin makes no other one yet
    ask_at(token.renew_after_s > now_s ? token.renew_after_s : expires_s_);
  } else {
    not_renewed(Status::failure(Code::kTokenExpired, Source::kPlugin, Retry::kBackoff,
                                "the auth plugin has no token that lasts longer"));
  }
}

void Renewal::not_renewed(const Status &why) {
  const std::int64_t left_s = expires_s_ - kit_.shard.io.wall_s();
  const std::int64_t pause_s =
      left_s > 0 ? std::clamp(left_s / 4, kLeastPauseSec, kMostPauseSec) : kMostPauseSec;
  ask_at(kit_.shard.io.wall_s() + pause_s);
  failed_(why);
}

} // namespace culvert
