#include "link/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace culvert {

TlsLink::TlsLink(Shard &shard, std::unique_ptr<Link> below, TlsContext &context,
                 const TlsPeer *peer)
    : LayeredLink(shard, std::move(below)), session_(context, wire_, peer), records_(session_) {}

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
  CULVERT_ASSERT(stage_ == Session::kNew && open());
  begin(handshaking_, completion);
  stage_ = Session::kHandshaking;
  wake(); // the caller may be in the middle of another link's turn
}

void TlsLink::work() {
  if (open() && handshaking_ != nullptr) {
    run_handshake();
  } else {
    advance();
  }
}

void TlsLink::run_handshake() {
  if (stage_ == Session::kCancelled) {
    handshake_ended(Session::kCancelled, -ECANCELED);
    return;
  }
  if (below_->held() > 0 && !below_->broken()) { // the open turn is declined
    below_turn_ = false;
    drain_below();
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
    std::vector<std::byte> rest;
    drain_below_turn(rest);
    below_->unread(rest);
    handshake_ended(Session::kReady, 0);
  } else if (step == TlsSession::Step::kMore && !broken_ && below_->received_end() == nullptr) {
    receive_below();
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
  handshake_ended(Session::kFailed, step == TlsSession::Step::kFailed ? -EPROTO : -ECONNRESET);
}

void TlsLink::handshake_ended(Session becomes, int result) {
  stage_ = becomes;
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
  note_broken();
}

void TlsLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(stage_ == Session::kReady && sending_ == Sending::kOpen && open());
  if (broken_) {
    return;
  }
  open_turn();
  std::span<const std::byte> bytes = chunk.bytes();
  if (gathered_ + bytes.size() > kRecordBytes) {
    write_gathered();
  }
  // A chunk this large leaves no useful room for others in its record, so it is not copied.
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

/// Sends alerts and answers that libssl wrote while it read. Called between turns.
void TlsLink::send_pending() {
  if (wire_.has_pending() && !wire_.turn_open() && below_->held() == 0) {
    open_turn();
    flush();
  }
}

void TlsLink::start_drain() {
  if (!clear()) {
    drain_below();
  }
}

void TlsLink::cancel_drain() {
  if (finishing_ == nullptr && below_drain_.in_flight()) {
    below_->cancel(below_drain_);
  } else {
    complete_later(draining_, -ECANCELED);
  }
}

void TlsLink::on_below_drain(Outcome outcome) {
  note_broken();
  if (!open()) {
    advance();
  } else if (handshaking_ != nullptr) {
    run_handshake();
  } else {
    advance_finish();
    if (draining_ != nullptr) {
      complete_now(draining_, outcome.result);
    }
  }
}

// --- the rest -----------------------------------------------------------------------------------

void TlsLink::cancel_own(Completion &completion) {
  if (&completion != handshaking_) {
    return;
  }
  // A handshake that has not begun yet completes in its round of the loop.
  stage_ = Session::kCancelled;
  if (below_receive_.in_flight()) {
    below_->cancel(below_receive_);
  } else if (below_drain_.in_flight()) {
    below_->cancel(below_drain_);
  }
}

std::unique_ptr<Link> TlsLink::peel() {
  CULVERT_ASSERT(received_end_ && !received_end_->aborted && sending_ == Sending::kEnded);
  CULVERT_ASSERT(!below_receive_.in_flight() && !below_drain_.in_flight());
  CULVERT_ASSERT(!below_watch_.in_flight() && finishing_ == nullptr && !has_unread());
  CULVERT_ASSERT(!wire_.has_pending());
  become_peeled();
  return std::move(below_);
}

void TlsLink::leave() {
  CULVERT_ASSERT(stage_ == Session::kReady && !wire_.turn_open());
  session_.leave_context();
  LayeredLink::leave();
}

} // namespace culvert
