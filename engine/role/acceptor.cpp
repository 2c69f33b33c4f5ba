#include "role/acceptor.hpp"

#include "link/os_status.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

namespace culvert {

struct Acceptor::Dealt final : Mail {
  Socket socket;
  Acceptor *home = nullptr;
};

Acceptor::Acceptor(Shard &shard, Delegate<Socket> arrived, Delegate<> stopped)
    : shard_(shard), arrived_(arrived), stopped_(stopped) {}

Acceptor::Ear::Ear(Acceptor &acceptor, Socket socket) : owner(acceptor), listening(socket) {
  accept.bind<&Ear::on_accept>(*this);
  cancel.bind<&Ear::on_cancelled>(*this);
  retry.bind<&Ear::arm>(*this);
}

void Acceptor::start(std::span<const Socket> listening) {
  CULVERT_ASSERT(phase_ == Phase::kIdle && !listening.empty());
  enter(Phase::kAccepting, this);
  for (const Socket socket : listening) {
    ears_.emplace_back(*this, socket).arm();
  }
}

/// `dealt_to`: this, or nullptr when the others shall deal nothing here.
void Acceptor::enter(Phase phase, Acceptor *dealt_to) {
  phase_ = phase;
  if (group_ != nullptr) {
    group_->members_[shard_.index].store(dealt_to, std::memory_order_release);
  }
}

void Acceptor::hold() {
  if (phase_ == Phase::kAccepting) {
    enter(Phase::kHeld, nullptr);
    for (Ear &ear : ears_) {
      ear.retry.disarm();
      ear.cancel_accept();
    }
  }
}

void Acceptor::release() {
  if (phase_ == Phase::kHeld) {
    enter(Phase::kAccepting, this);
    for (Ear &ear : ears_) {
      if (ear.idle()) {
        ear.arm();
      }
    }
  }
}

void Acceptor::stop() {
  CULVERT_ASSERT(phase_ == Phase::kAccepting || phase_ == Phase::kHeld);
  phase_ = Phase::kStopping; // what was dealt here meanwhile is still reset here
  for (Ear &ear : ears_) {
    ear.retry.disarm();
    ear.cancel_accept();
    if (ear.idle()) {
      shard_.io.yield(ear.cancel);
    }
  }
}

void Acceptor::Ear::cancel_accept() {
  if (accept.in_flight() && !cancel.in_flight()) {
    owner.shard_.io.cancel(accept, cancel);
  }
}

void Acceptor::on_descriptor_freed() {
  for (Ear &ear : ears_) {
    if (ear.retry.armed()) {
      ear.retry.disarm();
      ear.arm();
    }
  }
}

void Acceptor::Ear::arm() {
  owner.shard_.io.accept(listening, accept);
}

void Acceptor::Ear::on_accept(Outcome outcome) {
  Shard &shard = owner.shard_;
  if (outcome.result >= 0) {
    owner.told_ = false;
    owner.deal(Socket{outcome.result});
  } else if (owner.phase_ == Phase::kAccepting && outcome.result != -ECONNABORTED &&
             outcome.result != -ECANCELED && !owner.told_) {
    owner.told_ = true;
    shard.log.write(LogLevel::kWarn, "no connection can be accepted",
                    {{"why", os_status(-outcome.result, "accept").message}});
  }
  if (outcome.more) {
    return;
  }
  if (owner.phase_ != Phase::kAccepting || cancel.in_flight()) {
    on_cancelled({});
  } else if (outcome.result >= 0 || outcome.result == -ECONNABORTED ||
             outcome.result == -ECANCELED) {
    arm();
  } else {
    shard.io.arm_after_ms(retry, shard.limits.accept_retry_ms);
  }
}

void Acceptor::hand_out(Socket socket) {
  if (phase_ == Phase::kAccepting || phase_ == Phase::kHeld) {
    arrived_(socket);
  } else { // a plain close would read as a clean, empty answer
    shard_.io.set_option(socket, SocketOption::kLingerZero, 1);
    shard_.io.close(socket);
  }
}

void Acceptor::deal(Socket socket) {
  const std::size_t shards = group_ == nullptr ? 1 : group_->members_.size();
  Acceptor *there = this;
  if (shards > 1 && phase_ == Phase::kAccepting) {
    there = group_->members_[shard_.random.below(shards)].load(std::memory_order_acquire);
  }
  if (there == this || there == nullptr) { // or not started yet
    hand_out(socket);
    return;
  }
  auto letter = std::make_unique<Dealt>();
  letter->socket = socket;
  letter->home = this;
  letter->address_to<&Acceptor::on_dealt>(*there);
  ++dealt_out_;
  shard_.io.post(there->shard_.io, *letter.release()); // on_dealt_back() owns it again
}

void Acceptor::on_dealt(Mail &mail) {
  auto &letter = static_cast<Dealt &>(mail);
  hand_out(letter.socket);
  letter.address_to<&Acceptor::on_dealt_back>(*letter.home);
  shard_.io.post(letter.home->shard_.io, letter);
}

void Acceptor::on_dealt_back(Mail &mail) {
  const std::unique_ptr<Dealt> letter(&static_cast<Dealt &>(mail));
  --dealt_out_;
  check_stopped();
}

/// An accept that ended, or its cancel: whichever comes last.
void Acceptor::Ear::on_cancelled(Outcome) {
  if (owner.phase_ == Phase::kAccepting && idle() && !retry.armed()) {
    arm(); // it was released before the cancel came back
  }
  owner.check_stopped();
}

void Acceptor::check_stopped() {
  if (phase_ == Phase::kStopping && dealt_out_ == 0 &&
      std::all_of(ears_.begin(), ears_.end(), [](const Ear &ear) { return ear.idle(); })) {
    phase_ = Phase::kStopped;
    stopped_();
  }
}

} // namespace culvert
