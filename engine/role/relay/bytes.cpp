#include "role/relay/bytes.hpp"

#include "link/http_date.hpp"

#include <algorithm>

namespace culvert {

namespace {

/// Behind an answer that opens no stream the connection ends.
std::vector<Field> closing(std::vector<Field> fields, std::int64_t wall_s) {
  fields.push_back({"Date", http_date(wall_s)});
  if (find_field(fields, "Connection") == nullptr) {
    fields.push_back({"Connection", "close"});
  }
  return fields;
}

} // namespace

void send_message(Link &link, Message &message) {
  const std::size_t largest = link.facts().largest_first_frame;
  auto *data = reinterpret_cast<std::byte *>(message.bytes.data());
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(largest, message.bytes.size() - at);
    link.send({data + at, size, 0, message.kind, at + size == message.bytes.size()});
    at += size;
  } while (at < message.bytes.size());
}

void write_bytes(Link &link, std::string bytes) {
  if (bytes.empty()) {
    return;
  }
  Message whole{std::move(bytes), ChunkKind::kBinary};
  send_message(link, whole);
  link.flush();
}

Result<std::string> answer_bytes(const Answer &answer, bool upgrade, const RequestHead &request,
                                 Digests &digests, std::int64_t wall_s) {
  switch (answer.form) {
  case Answer::Form::kHttp:
    if (upgrade && answer.status == 101) {
      return build_upgrade_response(request, answer.reason, answer.fields, digests);
    }
    return build_response(answer.status, answer.reason, closing(answer.fields, wall_s),
                          answer.body);
  case Answer::Form::kMessage: {
    const std::string &message = answer.message.bytes;
    if (message.size() > UINT16_MAX) {
      return Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever,
                             "an answer of more than 65,535 bytes has no 16-bit length");
    }
    std::string bytes{static_cast<char>(message.size() >> 8U),
                      static_cast<char>(message.size() & 0xffU)};
    return bytes + message;
  }
  case Answer::Form::kNone:
  case Answer::Form::kClose:
    break;
  }
  return std::string();
}

} // namespace culvert
