#include "role/acceptor.hpp"

#include "link/os_status.hpp"

#include <cerrno>

namespace culvert {

Acceptor::Acceptor(Shard &shard, Delegate<Socket> arrived, Delegate<> stopped)
    : shard_(shard), arrived_(arrived), stopped_(stopped) {
  accept_.bind<&Acceptor::on_accept>(*this);
  cancel_.bind<&Acceptor::on_cancelled>(*this);
  retry_.bind<&Acceptor::arm>(*this);
}

void Acceptor::start(Socket listening) {
  CULVERT_ASSERT(phase_ == Phase::kIdle);
  phase_ = Phase::kAccepting;
  listening_ = listening;
  arm();
}

void Acceptor::stop() {
  CULVERT_ASSERT(phase_ == Phase::kAccepting);
  phase_ = Phase::kStopping;
  retry_.disarm();
  if (accept_.in_flight()) {
    shard_.io.cancel(accept_, cancel_);
  } else {
    shard_.io.yield(cancel_);
  }
}

void Acceptor::on_descriptor_freed() {
  if (retry_.armed()) {
    retry_.disarm();
    arm();
  }
}

void Acceptor::arm() {
  shard_.io.accept(listening_, accept_);
}

void Acceptor::on_accept(Outcome outcome) {
  if (outcome.result >= 0) {
    told_ = false;
    if (phase_ == Phase::kAccepting) {
      arrived_(Socket{outcome.result});
    } else {
      shard_.io.close(Socket{outcome.result});
    }
  } else if (phase_ == Phase::kAccepting && outcome.result != -ECONNABORTED && !told_) {
    told_ = true;
    shard_.log.write(LogLevel::kWarn, "no connection can be accepted",
                     {{"error", os_status(-outcome.result, "accept").message}});
  }
  if (outcome.more) {
    return;
  }
  if (phase_ != Phase::kAccepting) {
    on_cancelled({});
  } else if (outcome.result >= 0 || outcome.result == -ECONNABORTED) {
    arm();
  } else {
    shard_.io.arm_after_ms(retry_, kAcceptRetryMs);
  }
}

void Acceptor::on_cancelled(Outcome) {
  if (phase_ == Phase::kStopping && !accept_.in_flight() && !cancel_.in_flight()) {
    phase_ = Phase::kStopped;
    stopped_();
  }
}

} // namespace culvert
