#include "link/tcp.hpp"

#include "link/os_status.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {
TcpLink::TcpLink(Shard &shard, Socket socket) : Link(shard), socket_(socket), held_(shard.held) {
  CULVERT_ASSERT(socket_.valid());
  readable_.bind<&TcpLink::on_readable>(*this);
  writable_.bind<&TcpLink::on_writable>(*this);
  receive_retry_.bind<&TcpLink::arm_readable>(*this);
  send_retry_.bind<&TcpLink::resume_held>(*this);
  unix_ = local_address().family == Address::Family::kUnix;
  if (!unix_) { // a broken socket refuses them, and fails when it is used
    shard.io.set_option(socket_, SocketOption::kNoDelay, 1);
    shard.io.set_option(socket_, SocketOption::kKeepAliveSec, kKeepAliveSec);
  }
}

TcpLink::~TcpLink() {
  if (socket_.valid() && shard_ != nullptr) {
    forget_parts();
    shard_->io.close(socket_);
  }
}

LinkFacts TcpLink::facts() const {
  LinkFacts facts;
  facts.raw_socket = true;
  facts.gathers = true;
  return facts;
}

Address TcpLink::local_address() const {
  const Result<Address> local =
      socket_.valid() ? shard_->io.local_address(socket_) : Result<Address>(Address{});
  return local.ok() ? local.value() : Address{};
}

Address TcpLink::peer_address() const {
  const Result<Address> peer =
      socket_.valid() ? shard_->io.peer_address(socket_) : Result<Address>(Address{});
  return peer.ok() ? peer.value() : Address{};
}

// --- receiving ----------------------------------------------------------------------------------

void TcpLink::start_watch() {
  readable_.set_bulk(false);
  await(received_end_ ? Interest::kBroken : Interest::kHangup);
}

void TcpLink::await(Interest interest) {
  awaited_ = interest;
  if (receive_later_) {
    receive_later_ = false;
    shard_->io.arm_after_ms(receive_retry_, kNoBufferRetryMs);
  } else {
    arm_readable();
  }
}

void TcpLink::arm_readable() {
  readable_.poll(shard_->io, socket_, awaited_);
}

void TcpLink::on_readable(Outcome outcome) {
  const bool refused = outcome.result < 0 && outcome.result != -ECANCELED;
  receive_later_ = receive_later_ || refused;
  if (!open()) {
    on_readable_ending(outcome);
  } else if (refused && !readable_.cancelled()) {
    await(awaited_);
    return;
  } else {
    // A cancel that came too late still reports -ECANCELED: the next receive finds the same bytes.
    const int result = readable_.cancelled() ? -ECANCELED : 0;
    if (watching_ != nullptr) {
      complete_now(watching_, result);
    } else {
      run_turn(result);
    }
  }
  advance();
}

void TcpLink::run_turn(int result) {
  turn_ = result == 0 ? TurnStage::kDue : TurnStage::kNone;
  turn_size_ = turn_taken_ = 0;
  complete_now(receiving_, result);
  CULVERT_ASSERT(turn_taken_ == turn_size_); // a turn is taken whole, or not at all
  turn_ = TurnStage::kNone;
}

bool TcpLink::take_own(Chunk &chunk, const Take &how) {
  CULVERT_ASSERT(turn_ != TurnStage::kNone);
  if (turn_ == TurnStage::kDue) {
    turn_ = TurnStage::kReceived;
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
    received_error(error_was_cleared_ ? ECONNRESET : 0);
  } else if (out_of_memory(-received)) {
    receive_later_ = true;
  } else if (!only_later(-received)) {
    received_error(-received);
  }
}

/// The receiving direction ended. 0: with the peer's FIN.
void TcpLink::received_error(int error) {
  received_end_ = error == 0 ? Ending::finished() : Ending::abort(os_status(error, "receive"));
  note_ends();
}

// --- sending ------------------------------------------------------------------------------------

void TcpLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(sending_ == Sending::kOpen && open());
  GatheredParts &parts = shard_->buffers.parts;
  CULVERT_ASSERT(parts.count == 0 || parts.owner == this);
  if (broken_ || chunk.size == 0) {
    return;
  }
  if (parts.count > 0) {
    std::span<const std::byte> &last = parts.at[parts.count - 1];
    if (last.data() + last.size() == chunk.data) {
      last = {last.data(), last.size() + chunk.size};
      return;
    }
  }
  if (parts.count == kGatherParts) {
    push_out();
    if (broken_) {
      return;
    }
  }
  parts.owner = this;
  parts.at[parts.count++] = chunk.bytes();
}

void TcpLink::push_out() {
  GatheredParts &parts = shard_->buffers.parts;
  if (parts.count == 0 || parts.owner != this) {
    return;
  }
  int sent = 0;
  if (held_.empty()) {
    sent = shard_->io.send(socket_, parts.all());
  }
  if (sent < 0 && !only_later(-sent) && !out_of_memory(-sent)) {
    send_failed(-sent);
    return;
  }
  hold(static_cast<std::size_t>(std::max(sent, 0)));
  parts.count = 0;
  if (out_of_memory(-sent)) {
    shard_->io.arm_after_ms(send_retry_, kNoBufferRetryMs);
  }
  paused_ = false;
  resume_held();
}

/// Copies the gathered bytes, without the first `from_byte` of them.
void TcpLink::hold(std::size_t from_byte) {
  for (const std::span<const std::byte> part : shard_->buffers.parts.all()) {
    const std::size_t skip = std::min(from_byte, part.size());
    from_byte -= skip;
    if (skip < part.size()) {
      held_.append(part.subspan(skip));
    }
  }
  CULVERT_ASSERT(held_.size() <= kDirectionHeldBytes);
}

void TcpLink::resume_held() {
  if (!held_.empty() && !paused_ && !writable_.armed() && !send_retry_.armed()) {
    writable_.set_bulk(held_.size() >= kMinTurnBytes);
    writable_.poll(shard_->io, socket_, Interest::kWritable);
  }
}

void TcpLink::on_writable(Outcome outcome) {
  if (state() >= State::kEndingBelow) {
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
  if (count == 0) { // the direction broke while the poll was in flight
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
    resume_held();
  }
}

/// Called from a callback of the loop when nothing is held any more.
void TcpLink::held_done() {
  if (sending_ == Sending::kEndDue && !broken_) {
    send_end();
  }
  if (draining_ != nullptr) {
    complete_now(draining_, 0);
  }
  if (finishing_ != nullptr && held_.empty()) { // it may have begun in the callback above
    complete_now(finishing_, 0);
  }
  advance();
}

void TcpLink::send_failed(int error) {
  broken_ = os_status(error, "send");
  error_was_cleared_ = error != EPIPE;
  forget_parts();
  held_.clear();
}

void TcpLink::send_end() {
  CULVERT_ASSERT(held_.empty() && sending_ != Sending::kEnded);
  const int result = shard_->io.shutdown_send(socket_);
  if (result < 0) {
    broken_ = os_status(-result, "shutdown");
    return;
  }
  sending_ = Sending::kEnded;
  note_ends();
}

void TcpLink::forget_parts() {
  if (shard_->buffers.parts.owner == this) {
    shard_->buffers.parts.count = 0;
  }
}

void TcpLink::start_drain() {
  paused_ = false;
  resume_held();
}

void TcpLink::cancel_drain() {
  paused_ = sending_ == Sending::kOpen;
  if (paused_ && writable_.armed()) {
    writable_.cancel(); // it completes when the poll has left the kernel
    return;
  }
  if (paused_) {
    send_retry_.disarm();
  }
  complete_later(draining_, -ECANCELED);
}

void TcpLink::start_finish(const Ending &) {
  push_out();
  sending_ = Sending::kEndDue;
  paused_ = false;
  if (!held_.empty()) {
    resume_held();
    return;
  }
  if (!broken_) {
    send_end();
  }
  complete_later(finishing_, 0);
}

// --- the rest -----------------------------------------------------------------------------------

void TcpLink::cancel_reading() {
  readable_.cancel();
  if (receive_retry_.armed()) {
    receive_retry_.disarm();
    complete_later(receiving_, -ECANCELED);
    complete_later(watching_, -ECANCELED);
  }
}

void TcpLink::leave() {
  CULVERT_ASSERT(!readable_.armed() && !writable_.armed() && !receive_retry_.armed());
  CULVERT_ASSERT(!send_retry_.armed() && shard_->buffers.parts.count == 0);
  held_.release();
  shard_->io.leave(socket_);
  Link::leave();
}

void TcpLink::arrive(Shard &shard) {
  Link::arrive(shard);
  held_.take_over(shard.held);
  paused_ = false;
  resume_held();
}

} // namespace culvert
