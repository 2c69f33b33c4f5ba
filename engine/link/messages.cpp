#include "link/messages.hpp"

#include <algorithm>
#include <cstring>

namespace culvert {
namespace {

bool same_bytes(std::span<const std::byte> message, const std::string &word) {
  return !word.empty() && message.size() == word.size() &&
         std::memcmp(message.data(), word.data(), word.size()) == 0;
}

} // namespace

std::size_t MessagesLink::largest(const FramingOptions &options) {
  return std::min<std::size_t>(options.message_bound(), UINT16_MAX);
}

MessagesLink::MessagesLink(Shard &shard, std::unique_ptr<Link> below, const FramingOptions &options)
    : FramedLink(shard, std::move(below),
                 {options.ping.empty() ? 0 : options.ping_interval_ms, options.awaits_pong}),
      largest_(largest(options)), ping_(options.ping), pong_(options.pong) {
  below_finish_.bind<&MessagesLink::on_below_finish>(*this);
}

MessagesLink::~MessagesLink() {
  if (!partial_.empty() && shard_ != nullptr) {
    shard_->held.give(size_);
  }
}

LinkFacts MessagesLink::facts() const {
  LinkFacts facts = below_->facts();
  facts.raw_socket = false;
  facts.largest_first_frame = largest_;
  return facts;
}

// --- receiving ----------------------------------------------------------------------------------

bool MessagesLink::take_own(Chunk &chunk, const Take &how) {
  if (turn_over_) {
    turn_over_ = false;
    assembled_.clear();
  }
  for (;;) {
    if (piece_.size == 0 && !take_below(piece_, how)) {
      turn_over_ = true;
      return false;
    }
    if (received_end_) {
      piece_ = {};
    } else if (size_ == 0) {
      read_prefix();
    } else if (read_message(chunk, how)) {
      return true;
    }
  }
}

void MessagesLink::read_prefix() {
  const std::size_t count = std::min(kPrefixBytes - prefix_size_, piece_.size);
  std::copy_n(piece_.data, count, prefix_.begin() + static_cast<std::ptrdiff_t>(prefix_size_));
  prefix_size_ += count;
  piece_.data += count;
  piece_.size -= count;
  piece_.headroom += count;
  if (prefix_size_ < kPrefixBytes) {
    return;
  }
  prefix_size_ = 0;
  size_ = std::to_integer<std::size_t>(prefix_[0]) << 8U | std::to_integer<std::size_t>(prefix_[1]);
  if (size_ == 0) {
    fail(Code::kProtocol, "an empty message was received");
  } else if (size_ > largest_) {
    size_ = 0;
    fail(Code::kTooLarge, "a message was announced that is longer than allowed");
  }
}

bool MessagesLink::read_message(Chunk &chunk, const Take &how) {
  const std::size_t count = std::min(size_ - partial_.size(), piece_.size);
  const Chunk part = {piece_.data, count, how.keep ? 0 : piece_.headroom};
  piece_.data += count;
  piece_.size -= count;
  piece_.headroom += count;
  if (partial_.empty() && count == size_) {
    chunk = part;
  } else {
    if (partial_.empty()) {
      partial_.reserve(size_);
      shard_->held.take(size_);
    }
    partial_.insert(partial_.end(), part.data, part.data + count);
    if (partial_.size() < size_) {
      return false;
    }
    shard_->held.give(size_);
    if (!how.keep) {
      assembled_.clear();
    }
    assembled_.push_back(std::move(partial_));
    partial_ = {};
    chunk = {assembled_.back().data(), size_, 0};
  }
  size_ = 0;
  return !take_ping_or_pong(chunk.bytes());
}

bool MessagesLink::take_ping_or_pong(std::span<const std::byte> message) {
  if (same_bytes(message, ping_)) {
    pong_due_ = !pong_.empty();
    wake();
    return true;
  }
  return same_bytes(message, pong_);
}

void MessagesLink::fail(Code code, const char *why) {
  stop_pings();
  received_end_ = Ending::abort(Status::failure(code, Source::kRelay, Retry::kBackoff, why));
}

void MessagesLink::on_end_below(const Ending &ending) {
  if (ending.aborted || (prefix_size_ == 0 && size_ == 0)) {
    received_end_ = ending;
  } else {
    fail(Code::kTruncated, "the connection ended inside a message");
  }
}

// --- sending ------------------------------------------------------------------------------------

void MessagesLink::send(const Chunk &chunk) {
  CULVERT_ASSERT(chunk.end_of_message && chunk.size > 0 && chunk.size <= largest_);
  if (broken_ || sending_ != Sending::kOpen) {
    return;
  }
  send_due_frames();
  const std::byte prefix[kPrefixBytes] = {static_cast<std::byte>(chunk.size >> 8U),
                                          static_cast<std::byte>(chunk.size)};
  send_frame_below(prefix, chunk);
  note_broken();
}

void MessagesLink::send_own_message(const std::string &text) {
  std::string message = {static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())};
  message += text;
  below_->send({reinterpret_cast<std::byte *>(message.data()), message.size(), 0});
  below_->flush(); // before the message is freed
}

void MessagesLink::send_own_frames() {
  if (pong_due_) {
    pong_due_ = false;
    send_own_message(pong_);
  }
  if (ping_due_ && below_->held() == 0) {
    ping_due_ = false;
    send_own_message(ping_);
  }
}

// --- ending -------------------------------------------------------------------------------------

void MessagesLink::start_finish(const Ending &ending) {
  if (broken_ || below_->broken()) {
    complete_later(finishing_, 0);
    return;
  }
  sending_ = Sending::kEnded;
  stop_pings();
  below_->finish(ending, below_finish_);
}

void MessagesLink::on_below_finish(Outcome outcome) {
  note_broken();
  if (finishing_ != nullptr) {
    complete_now(finishing_, outcome.result);
  }
}

void MessagesLink::leave() {
  if (!partial_.empty()) {
    shard_->held.give(size_);
  }
  FramedLink::leave();
}

void MessagesLink::arrive(Shard &shard) {
  FramedLink::arrive(shard);
  if (!partial_.empty()) {
    shard.held.take(size_);
  }
}

} // namespace culvert
