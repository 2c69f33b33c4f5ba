#include "link/websocket.hpp"

#include "link/frame_close.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace culvert {

WebSocketLink::WebSocketLink(Shard &shard, std::unique_ptr<Link> below,
                             const WebSocketOptions &options)
    : FramedLink(shard, std::move(below), options.pings), options_(options), mask_(best_mask()),
      decoder_(options.role == WebSocketRole::kServer) {}

LinkFacts WebSocketLink::facts() const {
  LinkFacts facts = below_->facts();
  facts.raw_socket = false;
  facts.carries_ends = true;
  facts.largest_first_frame =
      options_.role == WebSocketRole::kClient ? kLargestMaskedFrame : kLargestUnmaskedFrame;
  return facts;
}

// --- receiving ----------------------------------------------------------------------------------

bool WebSocketLink::take_own(Chunk &chunk, const Take &how) {
  for (;;) {
    if (!decoder_.ready() && !read_header(how)) {
      return false;
    }
    if (!decoder_.ready()) {
      continue;
    }
    if (payload_left_ > 0 && piece_.size == 0 && !take_below(piece_, how)) {
      return false;
    }
    if (take_payload(chunk, how)) {
      return true;
    }
  }
}

/// Reads the next header; false when the turn is over.
bool WebSocketLink::read_header(const Take &how) {
  if (piece_.size == 0 && !take_below(piece_, how)) {
    return false;
  }
  const std::size_t used = decoder_.feed(piece_.bytes());
  piece_.data += used;
  piece_.size -= used;
  piece_.headroom += used;
  if (decoder_.fault() != nullptr) {
    fail(kCloseProtocolError, decoder_.fault());
    decoder_.tolerate();
  }
  if (decoder_.ready()) {
    const FrameHeader &header = decoder_.header();
    payload_left_ = header.length;
    key_ = header.masked ? header.key : 0;
    control_size_ = 0;
    if (header.opcode == Opcode::kText || header.opcode == Opcode::kBinary) {
      kind_ = header.opcode == Opcode::kText ? ChunkKind::kText : ChunkKind::kBinary;
      text_ = {};
    }
  }
  return true;
}

/// Takes the part of the frame's payload that has arrived; true if that is a chunk for the caller.
bool WebSocketLink::take_payload(Chunk &chunk, const Take &how) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(
      {payload_left_, piece_.size, static_cast<std::uint64_t>(how.chunk_bytes)}));
  const bool skipped = received_end_.has_value();
  if (!skipped && key_ != 0) {
    mask_(piece_.data, size, key_);
    key_ = rotate_key(key_, size);
  }
  payload_left_ -= size;
  bool given = false;
  if (!skipped && is_control(decoder_.header().opcode)) {
    std::copy_n(piece_.data, size, control_.data() + control_size_);
    control_size_ += size;
  } else if (!skipped) {
    given = hand_out(size, chunk, how);
  }
  piece_.data += size;
  piece_.size -= size;
  piece_.headroom += size;
  if (payload_left_ == 0) {
    end_frame();
  }
  return given;
}

bool WebSocketLink::hand_out(std::size_t size, Chunk &chunk, const Take &how) {
  const bool last = decoder_.header().fin && payload_left_ == 0;
  if (options_.check_utf8 && kind_ == ChunkKind::kText &&
      (!text_.feed({piece_.data, size}) || (last && !text_.complete()))) {
    fail(kCloseBadText, "a text message is no UTF-8");
    return false;
  }
  chunk = {piece_.data, size, how.keep ? 0 : piece_.headroom, kind_, last};
  return size > 0 || last;
}

void WebSocketLink::end_frame() {
  const Opcode opcode = decoder_.header().opcode;
  decoder_.next();
  if (received_end_) {
    peer_closed_ = peer_closed_ || opcode == Opcode::kClose;
  } else if (opcode == Opcode::kClose) {
    on_close();
  } else if (opcode == Opcode::kPing) {
    on_ping();
  }
}

void WebSocketLink::on_close() {
  peer_closed_ = true;
  CloseFrame close = read_close(std::span(control_).first(control_size_));
  if (close.fault != nullptr) {
    fail(close.refusal, close.fault);
    return;
  }
  stop_pings();
  peer_code_ = close.code;
  // 1012 to 1014 report a server's state, not that of the stream's writer.
  const bool of_a_server = close.code >= 1012 && close.code <= 1014;
  received_end_ =
      Ending::finished(of_a_server ? kCloseInternalError : close.code, std::move(close.reason));
}

void WebSocketLink::on_ping() {
  if (sending_ != Sending::kOpen || broken_) {
    return;
  }
  // When the socket is full, at most one pong waits: the latest.
  if (below_->held() > 0 || pongs_.size() + 1 + control_size_ > kTurnPongBytes) {
    pongs_.clear();
  }
  pongs_.push_back(static_cast<std::byte>(control_size_));
  pongs_.insert(pongs_.end(), control_.begin(),
                control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
  wake(); // not before what a cancelled drain has paused
}

void WebSocketLink::fail(std::uint16_t code, const char *why) {
  if (received_end_) {
    return;
  }
  stop_pings();
  Status status = Status::failure(Code::kProtocol, Source::kRelay, Retry::kBackoff,
                                  std::string("WebSocket: ") + why);
  received_end_ = Ending::abort(status);
  failed_ = true;
  pongs_.clear();
  if (sending_ == Sending::kOpen) {
    queue_close(code, {});
  }
  if (!broken_) {
    broken_ = std::move(status);
  }
}

void WebSocketLink::on_end_below(const Ending &ending) {
  received_end_ = Ending::abort(
      ending.aborted ? ending.status
                     : Status::failure(Code::kTruncated, Source::kRelay, Retry::kBackoff,
                                       "the WebSocket connection ended without a Close"));
}

// --- sending ------------------------------------------------------------------------------------

void WebSocketLink::send(const Chunk &chunk) {
  CULVERT_DEBUG_ASSERT(chunk.size > 0 || chunk.end_of_message);
  if (broken_ || sending_ != Sending::kOpen) {
    return;
  }
  send_due_frames();
  const std::size_t largest =
      options_.role == WebSocketRole::kClient ? kLargestMaskedFrame : kLargestUnmaskedFrame;
  Chunk piece = chunk;
  std::size_t left = chunk.size;
  do {
    piece.size = std::min(left, largest);
    left -= piece.size;
    send_frame(piece, left == 0 && chunk.end_of_message);
    // The bytes in front of the next piece were sent, so they are its headroom; a link below that
    // keeps references does not use it.
    piece.data += piece.size;
    piece.headroom += piece.size;
  } while (left > 0);
  note_broken();
}

void WebSocketLink::send_frame(const Chunk &piece, bool last) {
  FrameHeader header;
  header.opcode = piece.kind == ChunkKind::kText ? Opcode::kText : Opcode::kBinary;
  if (message_open_) {
    header.opcode = Opcode::kContinuation;
  }
  header.fin = last;
  header.length = piece.size;
  message_open_ = !last;
  if (options_.role == WebSocketRole::kClient) {
    header.masked = true;
    shard_->random.fill(std::as_writable_bytes(std::span(&header.key, 1)));
    if (header.key != 0) {
      mask_(piece.data, piece.size, header.key);
    }
  }
  std::array<std::byte, kFrameHeaderBytes> bytes;
  write_frame_header(bytes.data(), header);
  send_frame_below(std::span(bytes).first(frame_header_size(header.masked, header.length)), piece);
}

void WebSocketLink::send_control(Opcode opcode, std::span<const std::byte> payload) {
  CULVERT_ASSERT(payload.size() <= kControlPayloadBytes);
  std::array<std::byte, kHeadroom + kControlPayloadBytes> buffer;
  FrameHeader header{opcode, true, options_.role == WebSocketRole::kClient, 0, payload.size()};
  const std::size_t size = frame_header_size(header.masked, header.length);
  std::copy(payload.begin(), payload.end(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  if (header.masked) {
    shard_->random.fill(std::as_writable_bytes(std::span(&header.key, 1)));
    mask_(buffer.data() + size, payload.size(), header.key);
  }
  write_frame_header(buffer.data(), header);
  below_->send({buffer.data(), size + payload.size(), 0});
  below_->flush(); // before the buffer is freed
}

bool WebSocketLink::own_frame_due() const {
  return sending_ == Sending::kEndDue ||
         (sending_ == Sending::kOpen && (ping_due_ || !pongs_.empty()));
}

void WebSocketLink::send_own_frames() {
  std::size_t at = 0;
  while (at < pongs_.size()) {
    const std::size_t next = at + 1 + std::to_integer<std::size_t>(pongs_[at]);
    if (below_->held() == 0) {
      send_control(Opcode::kPong, std::span(pongs_).subspan(at + 1, next - at - 1));
    } else if (next == pongs_.size()) { // the socket is full: only the latest waits
      pongs_.erase(pongs_.begin(), pongs_.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
    at = next;
  }
  pongs_.clear();
  if (below_->held() > 0) {
    return;
  }
  if (ping_due_) {
    ping_due_ = false;
    send_control(Opcode::kPing, {});
  }
  if (sending_ == Sending::kEndDue) {
    std::array<std::byte, kControlPayloadBytes> payload;
    const std::size_t size = write_close(payload.data(), close_code_, close_reason_);
    sending_ = Sending::kEnded;
    send_control(Opcode::kClose, std::span(payload).first(size));
  }
}

void WebSocketLink::queue_ping() {
  ping_due_ = sending_ == Sending::kOpen;
}

// --- ending -------------------------------------------------------------------------------------

void WebSocketLink::queue_close(std::uint16_t code, std::string reason) {
  sending_ = Sending::kEndDue;
  close_code_ = code;
  close_reason_ = std::move(reason);
  wake_for_own_frames();
}

std::uint16_t WebSocketLink::answer_code(std::uint16_t code) const {
  return received_end_ && !received_end_->aborted ? peer_code_ : code;
}

void WebSocketLink::start_finish(const Ending &ending) {
  note_broken();
  if (broken_) {
    complete_later(finishing_, 0);
    return;
  }
  const bool answer = received_end_ && !received_end_->aborted;
  stop_pings();
  queue_close(answer_code(ending.code == 0 ? kCloseNormal : ending.code),
              answer ? std::string() : ending.reason);
}

void WebSocketLink::settle_finish() {
  if (below_->broken() || (sending_ == Sending::kEnded && clear())) {
    complete_later(finishing_, 0);
  }
}

void WebSocketLink::queue_end(End end) {
  if (end == End::kClose && sending_ == Sending::kOpen && !broken_) {
    queue_close(answer_code(0), {});
  }
  const bool leaves_next = below_->held() == 0;
  // An error Close is sent in any case.
  if (end == End::kAbort && sending_ == Sending::kEndDue && !leaves_next && !failed_) {
    sending_ = Sending::kOpen;
    pongs_.clear();
    ping_due_ = false;
    complete_later(finishing_, -ECANCELED);
  }
}

bool WebSocketLink::output_waits() const {
  return !below_->broken() &&
         (sending_ == Sending::kEndDue || (sending_ == Sending::kEnded && !clear()));
}

bool WebSocketLink::awaits_peer() const {
  if (sending_ != Sending::kEnded || (end_asked() == End::kAbort && !failed_)) {
    return false;
  }
  // The server ends the connection when Close has gone both ways; the client waits for that.
  const bool over = peer_closed_ && options_.role == WebSocketRole::kServer;
  return !over && !below_->broken() && below_->received_end() == nullptr;
}

std::uint64_t WebSocketLink::peer_wait_ms() const {
  return failed_ ? shard_->limits.error_close_ms : shard_->limits.linger_ms;
}

} // namespace culvert
