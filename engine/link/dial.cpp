#include "link/dial.hpp"

#include "link/os_status.hpp"

#include <cerrno>
#include <utility>

namespace culvert {

Dial::Dial(Shard &shard) : shard_(shard) {
  connect_.bind<&Dial::on_connect>(*this);
  turn_.bind<&Dial::on_turn>(*this);
  timeout_.bind<&Dial::on_timeout>(*this);
}

void Dial::start(std::vector<Address> addresses, std::uint64_t deadline_ms) {
  CULVERT_ASSERT(!running_ && callback_ && !addresses.empty());
  addresses_ = std::move(addresses);
  next_ = 0;
  deadline_ns_ = shard_.io.now_ns() + deadline_ms * 1'000'000U;
  cancelled_ = false;
  running_ = true;
  shard_.io.yield(turn_);
}

void Dial::cancel() {
  if (running_) {
    cancelled_ = true;
    connect_.cancel();
  }
}

void Dial::on_turn(Outcome) {
  try_next();
}

void Dial::try_next() {
  const std::uint64_t now = shard_.io.now_ns();
  while (!cancelled_ && next_ < addresses_.size()) {
    if (now >= deadline_ns_) { // whatever is left has no share of it
      failure_ = os_status(ETIMEDOUT, "connect to " + addresses_[next_].text());
      break;
    }
    const Address &address = addresses_[next_++];
    Result<Socket> opened = shard_.io.open(address);
    if (opened.ok()) {
      socket_ = opened.value();
      timed_out_ = false;
      const std::uint64_t share = (deadline_ns_ - now) / (addresses_.size() - next_ + 1);
      shard_.io.arm(timeout_, now + share);
      connect_.connect(shard_.io, socket_, address);
      return;
    }
    failure_ = opened.status();
  }
  complete(cancelled_ ? os_status(ECANCELED, "connect") : failure_);
}

void Dial::on_timeout() {
  timed_out_ = true;
  connect_.cancel();
}

void Dial::on_connect(Outcome outcome) {
  timeout_.disarm();
  if (outcome.result >= 0) {
    complete(std::exchange(socket_, {}));
    return;
  }
  shard_.io.close(std::exchange(socket_, {}));
  const int error = timed_out_ && outcome.result == -ECANCELED ? ETIMEDOUT : -outcome.result;
  failure_ = os_status(error, "connect to " + address().text());
  try_next();
}

void Dial::complete(Result<Socket> result) {
  running_ = false;
  callback_(std::move(result)); // the step may be gone behind this
}

} // namespace culvert
