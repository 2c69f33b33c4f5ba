#include "link/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace culvert {

TlsLink::TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context,
                 const TlsPeer *peer)
    : Link(shard), below_(std::move(below)), session_(context, wire_, peer), records_(session_) {
  CULVERT_ASSERT(below_ != nullptr);
  start_.bind<&TlsLink::on_start>(*this);
  below_receive_.bind<&TlsLink::on_below_receive>(*this);
  below_watch_.bind<&TlsLink::on_below_watch>(*this);
  below_drain_.bind<&TlsLink::on_below_drain>(*this);
  below_end_.bind<&TlsLink::on_below_end>(*this);
  below_drop_.bind<&TlsLink::on_below_drop>(*this);
  stall_.bind<&TlsLink::on_stall>(*this);
}

TlsLink::TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context)
    : TlsLink(shard, std::move(below), context, nullptr) {}

TlsLink::TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context,
                 const TlsPeer &peer)
    : TlsLink(shard, std::move(below), context, &peer) {}

TlsLink::~TlsLink() = default;

LinkFacts TlsLink::facts() const {
  LinkFacts facts = below_->facts();
  facts.raw_socket = false;
  facts.gathers = false;
  facts.largest_first_frame = kRecordBytes;
  return facts;
}

// --- set-up -------------------------------------------------------------------------------------

void TlsLink::handshake(Completion &completion) {
  CULVERT_ASSERT(!ready_ && failure_.ok() && !cancelled_ && end_ == End::kNone);
  begin(handshaking_, completion);
  shard_->io.yield(start_); // the caller may be in the middle of another link's turn
}

void TlsLink::on_start(Outcome) {
  if (end_ != End::kNone) {
    try_end();
  } else if (cancelled_) {
    complete_now(handshaking_, -ECANCELED);
  } else {
    run_handshake();
  }
}

void TlsLink::run_handshake() {
  if (below_->held() > 0 && !below_->broken()) { // a turn that is open is declined
    below_turn_ = false;
    arm_below_drain();
    return;
  }
  open_turn();
  TlsSession::Step step = session_.step();
  while (step == TlsSession::Step::kMore && next_input({})) {
    step = session_.step();
  }
  push_turn();
  wire_.close_turn();
  if (step == TlsSession::Step::kDone && !broken_) {
    ready_ = true;
    std::vector<std::byte> rest;
    drain_below_turn(rest);
    below_->unread(rest);
    handshake_ended(0);
  } else if (step == TlsSession::Step::kMore && !broken_ && below_->received_end() == nullptr) {
    below_->receive(below_receive_);
  } else {
    fail_handshake(step);
  }
}

void TlsLink::fail_handshake(TlsSession::Step step) {
  const Ending *end = below_->received_end();
  if (step == TlsSession::Step::kFailed) {
    failure_ = session_.failure();
  } else if (broken_) {
    failure_ = *broken_;
  } else if (end != nullptr && end->aborted) {
    failure_ = end->status;
  } else {
    failure_ = Status::failure(Code::kTruncated, Source::kRelay, Retry::kBackoff,
                               "TLS with " + session_.peer_name() +
                                   " failed: the other side ended the connection");
  }
  std::vector<std::byte> rest;
  drain_below_turn(rest);
  handshake_ended(step == TlsSession::Step::kFailed ? -EPROTO : -ECONNRESET);
}

void TlsLink::handshake_ended(int result) {
  complete_now(handshaking_, result);
}

// --- sending ------------------------------------------------------------------------------------

void TlsLink::open_turn() {
  if (!wire_.turn_open()) {
    wire_.open_turn(shard_->buffers.encode());
  }
}

void TlsLink::push_turn() {
  const std::span<std::byte> bytes = wire_.take_turn();
  if (!bytes.empty()) {
    below_->send({bytes.data(), bytes.size(), kHeadroom, ChunkKind::kBinary, true});
    below_->flush();
  }
  if (below_->broken() && !broken_) {
    broken_ = below_->broken();
  }
}

void TlsLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(ready_ && !finish_asked_ && end_ == End::kNone);
  if (broken_) {
    return;
  }
  open_turn();
  std::span<const std::byte> bytes = chunk.bytes();
  if (gathered_ + bytes.size() > kRecordBytes) {
    write_gathered();
  }
  // Nothing worth a copy fits behind a chunk that large.
  while (gathered_ == 0 && bytes.size() > kRecordBytes - kHeadroom) {
    const std::size_t size = std::min(bytes.size(), kRecordBytes);
    write_record(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  std::copy(bytes.begin(), bytes.end(), shard_->buffers.gather().subspan(gathered_).begin());
  gathered_ += bytes.size();
}

void TlsLink::write_gathered() {
  if (gathered_ > 0) {
    write_record(shard_->buffers.gather().first(std::exchange(gathered_, 0)));
  }
}

void TlsLink::write_record(std::span<const std::byte> bytes) {
  if (wire_.turn_room() < kTlsRecordRoom) {
    push_turn();
  }
  if (!broken_ && !records_.write(bytes)) {
    broken_ = session_.failure();
  }
}

void TlsLink::flush() {
  if (!wire_.turn_open()) {
    return;
  }
  write_gathered();
  push_turn();
  wire_.close_turn();
}

/// Between turns: alerts and answers that libssl wrote while it read.
void TlsLink::send_pending() {
  if (wire_.has_pending() && !wire_.turn_open() && below_->held() == 0) {
    open_turn();
    flush();
  }
}

void TlsLink::drain(Completion &completion) {
  begin(draining_, completion);
  if (below_->held() == 0 || broken_) {
    complete_later(draining_, 0);
  } else {
    arm_below_drain();
  }
}

void TlsLink::arm_below_drain() {
  if (!below_drain_.in_flight()) {
    below_->drain(below_drain_);
  }
}

void TlsLink::on_below_drain(Outcome outcome) {
  if (below_->broken() && !broken_) {
    broken_ = below_->broken();
  }
  if (end_ != End::kNone) {
    advance_end();
    return;
  }
  if (handshaking_ != nullptr) {
    if (cancelled_ || outcome.result != 0) {
      handshake_ended(-ECANCELED);
    } else {
      run_handshake();
    }
    return;
  }
  advance_finish();
  if (draining_ != nullptr) {
    complete_now(draining_, outcome.result);
  }
}

// --- the rest -----------------------------------------------------------------------------------

void TlsLink::cancel(Completion &completion) {
  if (&completion == handshaking_) {
    cancelled_ = true; // the start completes by itself
    if (below_receive_.in_flight()) {
      below_->cancel(below_receive_);
    } else if (below_drain_.in_flight()) {
      below_->cancel(below_drain_);
    }
  } else if (&completion == receiving_ || &completion == watching_) {
    if (below_receive_.in_flight()) {
      below_->cancel(below_receive_);
    } else {
      below_->cancel(below_watch_);
    }
  } else if (&completion == draining_) {
    if (finishing_ == nullptr && below_drain_.in_flight()) {
      below_->cancel(below_drain_);
    } else {
      complete_later(draining_, -ECANCELED);
    }
  }
}

std::unique_ptr<Link> TlsLink::peel() {
  CULVERT_ASSERT(received_end_ && !received_end_->aborted && notify_sent_ && end_ == End::kNone);
  CULVERT_ASSERT(!below_receive_.in_flight() && !below_drain_.in_flight());
  return std::move(below_);
}

void TlsLink::leave() {
  CULVERT_ASSERT(ready_ && end_ == End::kNone && !wire_.turn_open());
  CULVERT_ASSERT(!below_receive_.in_flight() && !below_watch_.in_flight());
  CULVERT_ASSERT(!below_drain_.in_flight());
  session_.leave_context();
  below_turn_ = false;
  Link::leave();
  below_->leave();
}

void TlsLink::arrive(Shard &shard) {
  Link::arrive(shard);
  below_->arrive(shard);
}

} // namespace culvert
