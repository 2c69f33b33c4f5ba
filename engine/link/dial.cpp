#include "link/dial.hpp"

#include "link/os_status.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace culvert {

Dial::Dial(Shard &shard) : shard_(shard) {
  turn_.bind<&Dial::on_turn>(*this);
  next_later_.bind<&Dial::try_next>(*this);
}

Dial::Try::Try(Dial &dial, Socket socket_of_it, Address address_of_it)
    : owner(dial), socket(socket_of_it), address(std::move(address_of_it)) {
  deadline.bind<&Try::on_deadline>(*this);
  connect.bind<&Try::on_connect>(*this);
}

void Dial::start(std::vector<Address> addresses, std::uint64_t deadline_ms) {
  CULVERT_ASSERT(!running() && callback_ && !addresses.empty());
  addresses_ = std::move(addresses);
  preferred_ = addresses_.front();
  shard_.good_addresses.put_first(addresses_, shard_.io.now_ns());
  failure_ = os_status(ETIMEDOUT, "connect to " + addresses_.front().text());
  next_ = 0;
  state_ = State::kTrying;
  deadline_ms_ = deadline_ms;
  shard_.io.yield(turn_);
}

void Dial::cancel() {
  if (state_ == State::kTrying) {
    end_tries(State::kCancelled);
  }
}

void Dial::on_turn(Outcome) {
  if (state_ == State::kTrying) {
    try_next();
  } else {
    check_over();
  }
}

void Dial::try_next() {
  next_later_.disarm();
  while (next_ < addresses_.size()) {
    const Address &address = addresses_[next_++];
    Result<Socket> opened = shard_.io.open(address);
    if (opened.ok()) {
      Try &made = *tries_.emplace_back(std::make_unique<Try>(*this, opened.value(), address));
      if (next_ < addresses_.size()) {
        shard_.io.arm_after_ms(next_later_, shard_.limits.next_address_ms);
      }
      shard_.io.arm_after_ms(made.deadline, deadline_ms_);
      made.connect.connect(shard_.io, made.socket, made.address);
      return;
    }
    failure_ = opened.status();
  }
  check_over();
}

void Dial::on_connect(Try &ended, Outcome outcome) {
  const bool connected = outcome.result >= 0;
  ended.deadline.disarm();
  if (connected && !socket_.valid() && state_ != State::kCancelled) {
    won(ended);
  } else {
    shard_.io.close(ended.socket);
  }
  if (!connected && state_ == State::kTrying) {
    const bool late = ended.late && outcome.result == -ECANCELED;
    failure_ = os_status(late ? ETIMEDOUT : -outcome.result, "connect to " + ended.address.text());
    shard_.good_addresses.forget(ended.address);
  }
  std::erase_if(tries_, [&ended](const auto &each) { return each.get() == &ended; });
  if (state_ == State::kTrying) {
    try_next();
  } else {
    check_over();
  }
}

void Dial::won(const Try &by) {
  socket_ = by.socket;
  answered_ = by.address;
  if (answered_ == preferred_) {
    shard_.good_addresses.forget(answered_);
  } else {
    shard_.good_addresses.remember(answered_, shard_.io.now_ns());
  }
  end_tries(State::kWon);
}

bool Dial::pass_over_address() {
  shard_.good_addresses.pass_over(answered_, addresses_, shard_.io.now_ns());
  return addresses_.size() > 1;
}

/// Starts no further attempt and cancels those that run.
void Dial::end_tries(State why) {
  state_ = why;
  next_later_.disarm();
  for (const auto &each : tries_) {
    each->connect.cancel();
  }
}

void Dial::check_over() {
  if (!tries_.empty() || turn_.in_flight()) {
    return;
  }
  const State how = std::exchange(state_, State::kIdle);
  // The callback may destroy the step.
  if (socket_.valid()) {
    callback_(std::exchange(socket_, {}));
  } else {
    callback_(how == State::kCancelled ? os_status(ECANCELED, "connect") : failure_);
  }
}

} // namespace culvert
