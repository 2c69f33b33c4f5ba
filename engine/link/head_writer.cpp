#include "link/head_writer.hpp"

#include <algorithm>

namespace culvert {

HeadWriter::HeadWriter(Link &link) : link_(link) {
  drain_.bind<&HeadWriter::on_drain>(*this);
}

void HeadWriter::start(HeadForm form, std::string bytes, Delegate<> done) {
  CULVERT_ASSERT(!running() && form != HeadForm::kNone);
  done_ = done;
  status_ = {};
  if (form == HeadForm::kMessage) {
    CULVERT_ASSERT(!bytes.empty() && bytes.size() <= kHeadBytes);
    const char prefix[] = {static_cast<char>(bytes.size() >> 8U), static_cast<char>(bytes.size())};
    bytes.insert(0, prefix, sizeof prefix);
  }
  CULVERT_ASSERT(bytes.size() <= kHeadBytes + kAnswerBodyBytes);
  bytes_ = std::move(bytes);
  written_ = false;
  if (link_.held() == 0) {
    write();
  }
  link_.drain(drain_);
}

void HeadWriter::write() {
  written_ = true;
  auto *data = reinterpret_cast<std::byte *>(bytes_.data());
  for (std::size_t at = 0; at < bytes_.size(); at += kRecordBytes) {
    link_.send({data + at, std::min(kRecordBytes, bytes_.size() - at), 0});
  }
  link_.flush();
}

void HeadWriter::on_drain(Outcome outcome) {
  if (!written_ && outcome.result == 0 && !link_.broken()) {
    write();
    link_.drain(drain_);
    return;
  }
  if (link_.broken()) {
    status_ = *link_.broken();
  } else if (outcome.result < 0) {
    status_ = Status::failure(Code::kCancelled, Source::kLocal, Retry::kNever,
                              "sending the head was cancelled");
  }
  bytes_.clear();
  const Delegate<> done = done_;
  done_ = {};
  done(); // this object may be destroyed now
}

} // namespace culvert
