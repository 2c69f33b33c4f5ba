// A WebSocket link and the bytes of its peer, whole and cut: both give the same messages, the same
// end and the same Close. What the link sends are frames that its peer may get.
//
// Input: a byte that chooses the role, the check of UTF-8, how chunks are taken and the cuts, then
// what the peer sends.
#include "link_world.hpp"

#include "core/utf8.hpp"
#include "link/frame_close.hpp"
#include "link/websocket.hpp"

#include <vector>

using namespace culvert;
using namespace culvert::fuzz;

namespace {

struct Choice {
  explicit Choice(std::uint8_t byte)
      : server((byte & 1U) != 0), check_utf8((byte & 2U) != 0), keep((byte & 4U) != 0),
        seed(byte >> 3U) {}
  bool server;
  bool check_utf8;
  bool keep;
  std::uint64_t seed; // of the cuts
};

struct Meaning {
  bool operator==(const Meaning &) const = default;
  std::vector<LinkReader::Message> messages; // the complete ones
  bool aborted = false;
  std::string why; // of an abort
  std::uint16_t code = 0;
  std::string reason;
  std::string close; // the payload of the link's own Close
};

/// Checks what the link sent, and returns the payload of its Close, which is the last frame.
std::string read_close_of(std::string_view sent, const Choice &choice) {
  FrameDecoder decoder(!choice.server);
  std::optional<std::string> close;
  while (!sent.empty()) {
    must(!close);
    sent.remove_prefix(decoder.feed(std::as_bytes(std::span(sent))));
    must(decoder.ready());
    const FrameHeader header = decoder.header();
    must(header.opcode == Opcode::kPong || header.opcode == Opcode::kClose);
    must(header.length <= sent.size());
    if (header.opcode == Opcode::kClose) {
      close.emplace(sent.substr(0, header.length));
      mask_portable(reinterpret_cast<std::byte *>(close->data()), close->size(), header.key);
      must(read_close(std::as_bytes(std::span(*close))).fault == nullptr);
    }
    sent.remove_prefix(header.length);
    decoder.next();
  }
  must(close.has_value());
  return *close;
}

Meaning read(std::string_view bytes, const Choice &choice, std::uint64_t seed) {
  LinkWorld &world = LinkWorld::get();
  auto [below, far] = MemoryLink::make_pair(world.shard);
  WebSocketOptions options;
  options.role = choice.server ? WebSocketRole::kServer : WebSocketRole::kClient;
  options.check_utf8 = choice.check_utf8;
  auto link = std::make_unique<WebSocketLink>(world.shard, std::move(below), options);
  Take how;
  how.keep = choice.keep;
  how.chunk_bytes = choice.keep ? 5 : kRecordBytes;
  LinkReader reader(*link, how);
  LinkReader back(*far);
  Peer peer(*far, bytes, seed);
  while (!peer.done()) {
    peer.send_piece();
  }
  finish(*far);
  must(reader.end() != nullptr);
  const Ending end = *reader.end();
  finish(*link);
  world.drop(std::move(link));
  world.drop(std::move(far));
  world.check_empty();
  return {std::move(reader.messages),       end.aborted, end.status.message, end.code, end.reason,
          read_close_of(back.bytes, choice)};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string_view bytes = fuzz::text(data, size);
  const Choice choice(take_choice(bytes));
  const Meaning whole = read(bytes, choice, 0);
  must(whole == read(bytes, choice, 1 + choice.seed));
  must(is_utf8(std::as_bytes(std::span(whole.reason))));
  for (const LinkReader::Message &message : whole.messages) {
    must(!choice.check_utf8 || message.kind != ChunkKind::kText ||
         is_utf8(std::as_bytes(std::span(message.bytes))));
  }
  return 0;
}
