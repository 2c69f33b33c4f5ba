#include "link/head_reader.hpp"

#include <algorithm>

namespace culvert {
namespace {

Status failure(Code code, std::string message) {
  return Status::failure(code, Source::kRelay, Retry::kBackoff, std::move(message));
}

} // namespace

HeadReader::HeadReader(Link &link) : link_(link) {
  receive_.bind<&HeadReader::on_receive>(*this);
}

void HeadReader::start(HeadForm form, Delegate<> done) {
  CULVERT_ASSERT(!running() && form != HeadForm::kNone);
  form_ = form;
  done_ = done;
  scanner_ = {};
  prefix_size_ = wanted_ = 0;
  complete_ = false;
  bytes_.clear();
  status_ = {};
  link_.receive(receive_);
}

void HeadReader::on_receive(Outcome outcome) {
  if (outcome.result < 0) {
    end(Status::failure(Code::kCancelled, Source::kLocal, Retry::kNever,
                        "reading the head was cancelled"));
    return;
  }
  read_turn();
  if (!status_.ok() || complete_) {
    end(std::move(status_));
  } else if (const Ending *ending = link_.received_end()) {
    end(ending->aborted ? ending->status
                        : failure(Code::kTruncated, bytes_.empty() && prefix_size_ == 0
                                                        ? "the connection ended before its head"
                                                        : "the connection ended inside its head"));
  } else {
    link_.receive(receive_);
  }
}

/// Takes the whole turn, as a link requires, and gives back the bytes after the head.
void HeadReader::read_turn() {
  Take how;
  how.turn_bytes = kHeadBytes; // the bytes after a head are copied, so few are read at once
  std::vector<std::byte> rest;
  Chunk chunk;
  while (link_.take(chunk, how)) {
    const std::string_view piece(reinterpret_cast<const char *>(chunk.data), chunk.size);
    const std::size_t used = complete_ || !status_.ok() ? 0 : feed(piece);
    rest.insert(rest.end(), chunk.data + used, chunk.data + chunk.size);
  }
  link_.unread(rest);
}

std::size_t HeadReader::feed(std::string_view piece) {
  if (form_ == HeadForm::kMessage) {
    return feed_message(piece);
  }
  const std::size_t used = scanner_.feed(piece);
  if (scanner_.fault() == HeadFault::kTooLarge) {
    status_ = failure(Code::kTooLarge, "the head is longer than 40960 bytes");
  } else if (scanner_.fault() != HeadFault::kNone) {
    status_ = failure(Code::kProtocol, "the head is malformed");
  }
  bytes_.append(piece.substr(0, used));
  complete_ = scanner_.done();
  return used;
}

std::size_t HeadReader::feed_message(std::string_view piece) {
  std::size_t used = 0;
  while (used < piece.size() && prefix_size_ < prefix_.size()) {
    prefix_[prefix_size_++] = static_cast<std::uint8_t>(piece[used++]);
    if (prefix_size_ == prefix_.size()) {
      wanted_ = static_cast<std::size_t>(prefix_[0]) << 8U | prefix_[1];
      if (wanted_ == 0) {
        status_ = failure(Code::kProtocol, "the first message is empty");
        return used;
      }
      if (wanted_ > kHeadBytes) {
        status_ = failure(Code::kTooLarge, "the first message is longer than 40960 bytes");
        return used;
      }
    }
  }
  const std::size_t count = std::min(wanted_ - bytes_.size(), piece.size() - used);
  bytes_.append(piece.substr(used, count));
  complete_ = prefix_size_ == prefix_.size() && bytes_.size() == wanted_;
  return used + count;
}

void HeadReader::end(Status status) {
  status_ = std::move(status);
  const Delegate<> done = done_;
  done_ = {};
  done(); // this object may be destroyed now
}

} // namespace culvert
