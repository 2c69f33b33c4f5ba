#include "link/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

namespace culvert {

void TlsLink::start_receive() {
  CULVERT_ASSERT(stage_ == Session::kReady && open());
  send_pending();
  receive_below();
}

void TlsLink::on_below_receive(Outcome outcome) {
  if (!open()) {
    Chunk chunk;
    while (below_turn_ && below_->take(chunk, {kTurnBytes, kTurnBytes, false})) {
      // The records are discarded as they are: nobody reads this link any more.
    }
    below_turn_ = false;
    advance();
    return;
  }
  if (handshaking_ != nullptr) {
    run_handshake();
  } else if (watching_ != nullptr) {
    watch_turn();
  } else if (receiving_ != nullptr) {
    kept_ = 0;
    session_.note_time(shard_->io.now_ns());
    complete_now(receiving_, outcome.result);
  }
}

bool TlsLink::take_own(Chunk &chunk, const Take &how) {
  const std::span<std::byte> room =
      how.keep ? shard_->buffers.encode().subspan(kept_) : shard_->buffers.scratch();
  const std::size_t most = std::min({how.chunk_bytes, room.size(), kRecordBytes});
  while (!received_end_) {
    std::size_t size = 0;
    switch (records_.read(room.first(most), size)) {
    case TlsRecords::Read::kBytes:
      kept_ += how.keep ? size : 0;
      chunk = {room.data(), size, how.keep ? 0 : kHeadroom, ChunkKind::kBinary, true};
      return true;
    case TlsRecords::Read::kMore:
      if (session_.flooded()) {
        conclude_failed();
      } else if (!next_input(how)) {
        conclude_below();
        return false;
      }
      break;
    case TlsRecords::Read::kFinished:
      conclude(Ending::finished());
      break;
    case TlsRecords::Read::kFailed:
      conclude_failed();
      break;
    }
  }
  return false;
}

bool TlsLink::next_input(const Take &how) {
  Chunk chunk;
  if (below_turn_ && below_->take(chunk, {how.turn_bytes, kTurnBytes, false})) {
    wire_.feed(chunk.bytes());
    return true;
  }
  below_turn_ = false;
  return false;
}

/// The turn of the link below is over, and perhaps that link has ended. libssl must not see that
/// end: it would treat the session as broken.
void TlsLink::conclude_below() {
  if (const Ending *end = below_->received_end()) {
    conclude(Ending::abort(end->aborted
                               ? end->status
                               : Status::failure(Code::kTruncated, Source::kRelay, Retry::kBackoff,
                                                 "the TLS stream of " + session_.peer_name() +
                                                     " ended without close_notify")));
  }
}

void TlsLink::conclude_failed() {
  Status why =
      session_.flooded()
          ? Status::failure(Code::kProtocol, Source::kRelay, Retry::kBackoff,
                            "more TLS control messages of " + session_.peer_name() + " than " +
                                std::to_string(kTlsControlPerSecond) + " in a second")
          : session_.failure();
  if (!broken_) {
    broken_ = why;
  }
  conclude(Ending::abort(std::move(why)));
}

void TlsLink::conclude(Ending ending) {
  received_end_ = std::move(ending);
  std::vector<std::byte> rest;
  drain_below_turn(rest);
  if (!received_end_->aborted) {
    below_->unread(rest);
  }
}

/// Takes the bytes of the open turn that libssl has not read.
void TlsLink::drain_below_turn(std::vector<std::byte> &rest) {
  const std::span<const std::byte> first = wire_.take_rest();
  rest.assign(first.begin(), first.end());
  Chunk chunk;
  while (below_turn_ && below_->take(chunk, {kTurnBytes, kTurnBytes, false})) {
    rest.insert(rest.end(), chunk.data, chunk.data + chunk.size);
  }
  below_turn_ = false;
}

// --- watching -----------------------------------------------------------------------------------

/// After close_notify, a normal end of the link below must not complete the watch, so it is read
/// first.
void TlsLink::start_watch() {
  CULVERT_ASSERT(stage_ == Session::kReady);
  if (received_end_ && below_->received_end() == nullptr) {
    receive_below();
  } else {
    below_->watch(below_watch_);
  }
}

void TlsLink::watch_turn() {
  std::vector<std::byte> rest;
  const bool cancelled = !below_turn_;
  drain_below_turn(rest);
  below_->unread(rest);
  const Ending *end = below_->received_end();
  if (cancelled) {
    complete_now(watching_, -ECANCELED);
  } else if (end != nullptr && end->aborted) {
    complete_now(watching_, 0);
  } else if (!rest.empty()) {
    // These bytes are for the next owner, so the end after them cannot be read.
    below_->watch(below_watch_);
  } else {
    start_watch();
  }
}

} // namespace culvert
