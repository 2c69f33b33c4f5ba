#include "role/proof.hpp"

#include "core/uuid.hpp"
#include "role/advice.hpp"

#include <utility>

namespace culvert {
namespace {

/// Whether the relay said no; otherwise nobody there answered as a relay.
bool refused_by_relay(const Status &status) {
  return status.source == Source::kRelay && status.code != Code::kRefused &&
         status.code != Code::kNoName && !shows_no_relay(status);
}

} // namespace

Proof::Proof(const ClientKit &kit, const EntityAddress &entity, RoleCounters &counters)
    : shard_(kit.shard), kit_(kit), entity_(entity), counters_(counters) {
  retry_.bind<&Proof::try_now>(*this);
}

void Proof::start(std::string where) {
  where_ = std::move(where);
  running_.store(true, std::memory_order_release);
  shard_.io.arm_after_ms(
      retry_, reconnect_.next_delay_ms(shard_.io.now_ns(), shard_.random, *kit_->limits));
}

void Proof::use(const ClientKit &kit, const EntityAddress &entity) {
  if (running()) {
    kit_->become(kit);
    entity_ = entity;
    failures_ = {};
    outdated_ = outbound_.has_value();
  }
}

void Proof::cancel() {
  if (!running()) {
    return;
  }
  retry_.disarm();
  ending_ = true;
  if (outbound_) {
    outbound_->cancel(
        Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "the sender stops"));
  } else {
    stop();
  }
}

void Proof::stop() {
  outbound_.reset();
  kit_.reset();
  running_.store(false, std::memory_order_release);
}

void Proof::try_now() {
  outbound_.emplace(*kit_, Delegate<Outbound &>::to<&Proof::on_outbound>(*this));
  outbound_->prove(entity_, make_uuid(shard_.random));
}

void Proof::on_outbound(Outbound &outbound) {
  const Status status = outbound.status();
  if (ending_) {
    stop();
  } else if (std::exchange(outdated_, false)) { // its answer is about another configuration
    outbound_.reset();
    shard_.io.arm_after_ms(retry_, 0);
  } else if (status.ok() || meets_nobody(status.code)) {
    kit_->log().write(LogLevel::kInfo,
                      "ready for apps on " + where_ + ": the relay takes this sender",
                      {{"entity", entity_.path}, {"relay", entity_.host}});
    stop();
  } else {
    failed(status, status.retry == Retry::kNewToken && outbound.has_other_token());
  }
}

void Proof::failed(const Status &status, bool other_token) {
  outbound_.reset();
  if (other_token && !other_token_tried_) {
    other_token_tried_ = true;
    try_now();
    return;
  }
  other_token_tried_ = false;
  counters_.failed(status);
  if (status.source == Source::kRelay &&
      (status.retry == Retry::kNewToken || status.retry == Retry::kNever)) {
    reconnect_.refused();
  }
  const std::uint64_t delay_ms =
      reconnect_.next_delay_ms(shard_.io.now_ns(), shard_.random, *kit_->limits);
  shard_.io.arm_after_ms(retry_, delay_ms);
  const FailureCount::Failure failure = failures_.add(status.code);
  kit_->log().write(failure.level(LogLevel::kWarn),
                    "not ready: the relay " +
                        std::string(refused_by_relay(status) ? "does not take this sender"
                                                             : "cannot be reached") +
                        "; trying again " + in_seconds(delay_ms),
                    {{"entity", entity_.path},
                     {"relay", entity_.host},
                     {"source", std::string(word(status.source))},
                     {"why", status.message},
                     {"failures", std::to_string(failure.count)}});
}

} // namespace culvert
