#include "role/relay/channel_token.hpp"

#include "role/relay/relay_shard.hpp"
#include "role/relay/text.hpp"

#include <utility>

namespace culvert {
ChannelToken::ChannelToken(RelayShard &relay, std::string entity, std::string path,
                           std::int64_t expires_s, Delegate<const Status &> judged,
                           Delegate<const Status &> over)
    : relay_(relay), entity_(std::move(entity)), path_(std::move(path)), expires_s_(expires_s),
      judged_(judged), over_(over), end_(relay.shard().io),
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

void ChannelToken::expire() {
  over_(Status::failure(Code::kTokenExpired, Source::kRelay, Retry::kNewToken,
                        "The token of the control channel has expired and was not renewed."));
}

void ChannelToken::renew(std::string token) {
  if (stopped_) {
    return;
  }
  if (authorization_.in_flight()) {
    next_ = std::move(token);
  } else {
    judge(token);
  }
}

void ChannelToken::judge(std::string_view token) {
  relay_.shard().io.arm_after_ms(deadline_, relay_.parts()->policy->limits().handshake_ms);
  const bool asked = authorization_.start(relay_.parts(), path_, kRightListen, token);
  CULVERT_ASSERT(asked); // only senders may need none
}

void ChannelToken::on_judged(const Result<Grant> &grant) {
  deadline_.disarm();
  const Status status = grant.ok() ? Status{} : grant.status();
  if (stopped_) {
    judged_(status);
  } else if (refuses_token(status.code)) {
    over_(status);
  } else if (status.ok() && (authorization_.entity() == nullptr ||
                             lower_case(*authorization_.entity()) != lower_case(entity_))) {
    over_(EntityTable::removed());
  } else {
    if (status.ok()) {
      expires_s_ = grant.value().expires_s;
      end_.disarm();
      start();
    }
    go_on(status);
  }
}

void ChannelToken::go_on(const Status &status) {
  if (stopped_) { // the new token has ended too
    return;
  }
  judged_(status);
  if (next_) {
    const std::string token = std::move(*next_);
    next_.reset();
    judge(token);
  }
}

void ChannelToken::stop() {
  stopped_ = true;
  next_.reset();
  end_.disarm();
  deadline_.disarm();
  authorization_.abandon();
}

} // namespace culvert
