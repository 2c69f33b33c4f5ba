#include "link/tcp.hpp"

#include "link/os_status.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {
TcpLink::TcpLink(Shard &shard, Socket socket) : Link(shard), socket_(socket), held_(shard.held) {
  CULVERT_ASSERT(socket_.valid());
  readable_.bind<&TcpLink::on_readable>(*this);
  writable_.bind<&TcpLink::on_writable>(*this);
  receive_retry_.bind<&TcpLink::on_receive_retry>(*this);
  send_retry_.bind<&TcpLink::on_send_retry>(*this);
  step_.bind<&TcpLink::on_step>(*this);
  probe_.bind<&TcpLink::on_probe>(*this);
  const Result<Address> local = shard.io.local_address(socket_);
  unix_ = local.ok() && local.value().family == Address::Family::kUnix;
  if (!unix_) { // a socket that broke meanwhile refuses them, and says so when it is used
    shard.io.set_option(socket_, SocketOption::kNoDelay, 1);
    shard.io.set_option(socket_, SocketOption::kKeepAliveSec, kKeepAliveSec);
  }
}

TcpLink::~TcpLink() {
  if (socket_.valid() && shard_ != nullptr) {
    shard_->io.close(socket_);
  }
}

LinkFacts TcpLink::facts() const {
  LinkFacts facts;
  facts.raw_socket = true;
  facts.gathers = true;
  if (socket_.valid()) {
    const Result<Address> local = shard_->io.local_address(socket_);
    const Result<Address> peer = shard_->io.peer_address(socket_);
    facts.local = local.ok() ? local.value() : Address{};
    facts.peer = peer.ok() ? peer.value() : Address{};
  }
  return facts;
}

// --- receiving ----------------------------------------------------------------------------------

void TcpLink::start_receive() {
  CULVERT_ASSERT(phase_ == Phase::kOpen && watching_ == nullptr);
  await(Interest::kReadable);
}

void TcpLink::watch(Completion &completion) {
  CULVERT_ASSERT(phase_ == Phase::kOpen && receiving_ == nullptr);
  begin(watching_, completion);
  readable_.set_bulk(false);
  await(received_end_ ? Interest::kBroken : Interest::kHangup);
}

void TcpLink::await(Interest interest) {
  awaited_ = interest;
  if (receive_later_) {
    receive_later_ = false;
    shard_->io.arm_after_ms(receive_retry_, kNoBufferRetryMs);
  } else {
    on_receive_retry();
  }
}

void TcpLink::on_receive_retry() {
  readable_.poll(shard_->io, socket_, awaited_);
}

void TcpLink::on_readable(Outcome outcome) {
  const bool refused = outcome.result < 0 && outcome.result != -ECANCELED;
  receive_later_ = receive_later_ || refused;
  if (phase_ != Phase::kOpen) {
    ending_readable(outcome);
  } else if (refused && !readable_.cancelled()) {
    await(awaited_);
  } else {
    // A cancel that came too late is told as one: what was ready is ready still.
    const int result = readable_.cancelled() ? -ECANCELED : 0;
    if (watching_ != nullptr) {
      complete_now(watching_, result);
    } else {
      run_turn(result);
    }
    advance();
  }
}

void TcpLink::run_turn(int result) {
  turn_open_ = result == 0;
  turn_received_ = false;
  turn_size_ = turn_taken_ = 0;
  complete_now(receiving_, result);
  CULVERT_ASSERT(turn_taken_ == turn_size_); // a turn is taken whole, or not at all
  turn_open_ = false;
}

bool TcpLink::take_own(Chunk &chunk, const Take &how) {
  CULVERT_ASSERT(turn_open_);
  if (!turn_received_) {
    turn_received_ = true;
    receive_turn(how.turn_bytes);
  }
  if (turn_taken_ == turn_size_) {
    return false;
  }
  const std::size_t size = std::min(how.chunk_bytes, turn_size_ - turn_taken_);
  const std::size_t headroom = how.keep ? 0 : kHeadroom + turn_taken_;
  chunk = {shard_->buffers.receive().data() + turn_taken_, size, headroom, ChunkKind::kBinary,
           true};
  turn_taken_ += size;
  return true;
}

void TcpLink::receive_turn(std::size_t most_bytes) {
  const std::span<std::byte> room = shard_->buffers.receive();
  const std::size_t wanted = std::min(most_bytes, room.size());
  const int received = shard_->io.receive(socket_, room.first(wanted));
  readable_.set_bulk(received > 0 && static_cast<std::size_t>(received) == wanted);
  if (received > 0) {
    turn_size_ = static_cast<std::size_t>(received);
  } else if (received == 0) {
    received_error(end_is_suspect_ ? ECONNRESET : 0);
  } else if (out_of_memory(-received)) {
    receive_later_ = true;
  } else if (!only_later(-received)) {
    received_error(-received);
  }
}

/// The receiving direction ended; 0: with the peer's FIN.
void TcpLink::received_error(int error) {
  received_end_ = error == 0 ? Ending::finished() : Ending::abort(os_status(error, "receive"));
  note_ends();
}

// --- sending ------------------------------------------------------------------------------------

void TcpLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(!end_wanted_ && phase_ == Phase::kOpen);
  if (broken_ || chunk.size == 0) {
    return;
  }
  if (part_count_ > 0) {
    std::span<const std::byte> &last = parts_[part_count_ - 1];
    if (last.data() + last.size() == chunk.data) {
      last = {last.data(), last.size() + chunk.size};
      return;
    }
  }
  if (part_count_ == kGatherParts) {
    push_out();
    if (broken_) {
      return;
    }
  }
  parts_[part_count_++] = chunk.bytes();
}

void TcpLink::push_out() {
  if (part_count_ == 0) {
    return;
  }
  int sent = 0;
  if (held_.empty()) {
    sent = shard_->io.send(socket_, std::span(parts_).first(part_count_));
  }
  if (sent < 0 && !only_later(-sent) && !out_of_memory(-sent)) {
    send_failed(-sent);
    return;
  }
  hold(static_cast<std::size_t>(std::max(sent, 0)));
  part_count_ = 0;
  if (out_of_memory(-sent)) {
    shard_->io.arm_after_ms(send_retry_, kNoBufferRetryMs);
  }
  paused_ = false;
  let_flow();
}

/// Copies what was gathered, but for its first bytes.
void TcpLink::hold(std::size_t from_byte) {
  for (std::size_t i = 0; i < part_count_; ++i) {
    const std::size_t skip = std::min(from_byte, parts_[i].size());
    from_byte -= skip;
    if (skip < parts_[i].size()) {
      held_.append(parts_[i].subspan(skip));
    }
  }
  CULVERT_ASSERT(held_.size() <= kDirectionHeldBytes);
}

void TcpLink::let_flow() {
  if (!held_.empty() && !paused_ && !writable_.armed() && !send_retry_.armed()) {
    writable_.set_bulk(held_.size() >= kMinTurnBytes);
    writable_.poll(shard_->io, socket_, Interest::kWritable);
  }
}

void TcpLink::on_send_retry() {
  let_flow();
}

void TcpLink::on_writable(Outcome outcome) {
  if (phase_ == Phase::kLeaving) {
    advance();
  } else if (paused_) {
    if (draining_ != nullptr) {
      complete_now(draining_, -ECANCELED);
    }
  } else if (outcome.result < 0 && outcome.result != -ECANCELED) {
    shard_->io.arm_after_ms(send_retry_, kNoBufferRetryMs);
  } else {
    push_held();
  }
}

void TcpLink::push_held() {
  std::array<std::span<const std::byte>, kGatherParts> parts;
  const std::size_t count = held_.front(parts);
  if (count == 0) { // the direction broke while the poll was on its way
    held_done();
    return;
  }
  const int sent = shard_->io.send(socket_, std::span(parts).first(count));
  if (sent > 0) {
    held_.consume(static_cast<std::size_t>(sent));
  } else if (out_of_memory(-sent)) {
    shard_->io.arm_after_ms(send_retry_, kNoBufferRetryMs);
  } else if (sent < 0 && !only_later(-sent)) {
    send_failed(-sent);
  }
  if (held_.empty()) {
    held_done();
  } else {
    let_flow();
  }
}

/// From a callback of the loop: nothing is held any more.
void TcpLink::held_done() {
  if (end_wanted_ && !end_sent_ && !broken_) {
    send_end();
  }
  if (draining_ != nullptr) {
    complete_now(draining_, 0);
  }
  if (finishing_ != nullptr) {
    complete_now(finishing_, 0);
  }
  advance();
}

void TcpLink::send_failed(int error) {
  broken_ = os_status(error, "send");
  end_is_suspect_ = error != EPIPE;
  part_count_ = 0;
  held_.clear();
}

void TcpLink::send_end() {
  CULVERT_ASSERT(held_.empty() && !end_sent_);
  const int result = shard_->io.shutdown_send(socket_);
  if (result < 0) {
    broken_ = os_status(-result, "shutdown");
    return;
  }
  end_sent_ = true;
  note_ends();
}

void TcpLink::drain(Completion &completion) {
  begin(draining_, completion);
  if (held_.empty()) {
    complete_later(draining_, 0);
  } else {
    paused_ = false;
    let_flow();
  }
}

void TcpLink::finish(const Ending &ending, Completion &completion) {
  CULVERT_ASSERT(!ending.aborted && !end_wanted_ && phase_ == Phase::kOpen);
  begin(finishing_, completion);
  push_out();
  end_wanted_ = true;
  paused_ = false;
  if (!held_.empty()) {
    let_flow();
    return;
  }
  if (!broken_) {
    send_end();
  }
  complete_later(finishing_, 0);
}

// --- the rest -----------------------------------------------------------------------------------

void TcpLink::cancel(Completion &completion) {
  if (&completion == receiving_ || &completion == watching_) {
    cancel_readable();
  } else if (&completion == draining_) {
    paused_ = !end_wanted_;
    if (paused_ && writable_.armed()) {
      writable_.cancel(); // it completes when the poll has left the kernel
      return;
    }
    if (paused_) {
      send_retry_.disarm();
    }
    complete_later(draining_, -ECANCELED);
  }
}

void TcpLink::leave() {
  CULVERT_ASSERT(phase_ == Phase::kOpen && !readable_.armed() && !writable_.armed());
  CULVERT_ASSERT(!receive_retry_.armed() && !send_retry_.armed() && part_count_ == 0);
  CULVERT_ASSERT(watching_ == nullptr && draining_ == nullptr && finishing_ == nullptr);
  held_.release();
  Link::leave();
}

void TcpLink::arrive(Shard &shard) {
  Link::arrive(shard);
  held_.take_over(shard.held);
  paused_ = false;
  let_flow();
}

} // namespace culvert
