#include "role/relay/channel_token.hpp"

#include "role/relay/relay_shard.hpp"
#include "role/relay/text.hpp"

#include <algorithm>
#include <utility>

namespace culvert {
namespace {

Status expired() {
  return Status::failure(Code::kTokenExpired, Source::kRelay, Retry::kNewToken,
                         "The token of the control channel has expired and was not renewed.");
}

} // namespace

ChannelToken::ChannelToken(RelayShard &relay, std::string entity, std::string path, Secret token,
                           std::int64_t expires_s, Delegate<const Status &> judged,
                           Delegate<const Status &> over)
    : relay_(relay), entity_(std::move(entity)), path_(std::move(path)), token_(std::move(token)),
      expires_s_(expires_s), why_over_(expired()), judged_(judged), over_(over),
      end_(relay.shard().io),
      authorization_(Delegate<const Result<Grant> &>::to<&ChannelToken::on_judged>(*this)) {
  end_.bind<&ChannelToken::expire>(*this);
  deadline_.bind<&ChannelToken::give_up>(*this);
}

void ChannelToken::start() {
  if (expires_s_ == 0) {
    return;
  }
  end_.arm(expires_s_, static_cast<std::int64_t>(relay_.parts()->policy->limits().token_grace_ms));
}

void ChannelToken::end_at(std::int64_t expires_s, Status why) {
  expires_s_ = expires_s;
  why_over_ = std::move(why);
  end_.disarm();
  start();
}

void ChannelToken::renew(std::string token) {
  if (!stopped_) {
    next_ = Secret::take(token);
    ask_next();
  }
}

void ChannelToken::judge_again() {
  if (!stopped_) {
    again_ = true;
    ask_next();
  }
}

void ChannelToken::ask_next() {
  if (stopped_ || authorization_.in_flight()) {
    return;
  }
  if (next_) {
    renewal_ = std::move(*next_);
    next_.reset();
    judge(Question::kRenewal, renewal_);
  } else if (again_) {
    again_ = false;
    judge(Question::kAgain, token_);
  }
}

void ChannelToken::judge(Question question, const Secret &token) {
  question_ = question;
  relay_.shard().io.arm_after_ms(deadline_, relay_.parts()->policy->limits().handshake_ms);
  const bool asked = authorization_.start(relay_.parts(), path_, kRightListen, token.reveal());
  CULVERT_ASSERT(asked); // only senders may need none
}

Status ChannelToken::verdict(const Result<Grant> &grant) const {
  if (!grant.ok()) {
    return grant.status();
  }
  const std::string *const entity = authorization_.entity();
  const bool same = entity != nullptr && lower_case(*entity) == lower_case(entity_);
  return same ? Status{} : EntityTable::removed();
}

void ChannelToken::on_judged(const Result<Grant> &grant) {
  deadline_.disarm();
  const Status status = verdict(grant);
  const bool renewed = question_ == Question::kRenewal;
  if (stopped_) {
    judged_(status);
    return;
  }
  if (!renewed && status.code == Code::kTokenExpired) { // its end is known, and has its timer
    ask_next();
    return;
  }
  if (refuses(status) && renewed) {
    over_(status);
    return;
  }
  if (status.ok()) {
    if (renewed) {
      token_ = std::move(renewal_);
    }
    end_at(grant.value().expires_s, expired());
  } else if (refuses(status)) {
    const std::int64_t now_s = relay_.shard().io.wall_s();
    end_at(expires_s_ == 0 ? now_s : std::min(expires_s_, now_s), status);
  }
  if (renewed || !status.ok()) {
    judged_(status);
  }
  ask_next();
}

void ChannelToken::stop() {
  stopped_ = true;
  next_.reset();
  end_.disarm();
  deadline_.disarm();
  authorization_.abandon();
}

} // namespace culvert
