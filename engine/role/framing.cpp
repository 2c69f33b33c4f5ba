#include "role/framing.hpp"

#include "link/messages.hpp"

namespace culvert {

std::unique_ptr<Link> framed(Shard &shard, std::unique_ptr<Link> below,
                             const FramingOptions &framing, WebSocketRole role) {
  switch (framing.framing) {
  case Framing::kWebSocket:
    return std::make_unique<WebSocketLink>(
        shard, std::move(below),
        WebSocketOptions{role, false, {framing.ping_interval_ms, framing.awaits_pong}});
  case Framing::kMessages:
    return std::make_unique<MessagesLink>(shard, std::move(below), framing);
  case Framing::kRaw:
    break;
  }
  return below;
}

bool can_say(const FramingOptions &framing, std::size_t message_bytes) {
  if (framing.framing == Framing::kMessages) {
    return message_bytes > 0 && message_bytes <= MessagesLink::largest(framing);
  }
  return message_bytes <= framing.message_bound();
}

bool go_together(const FramingOptions &one, const FramingOptions &other) {
  if (one.framing == Framing::kRaw || other.framing == Framing::kRaw) {
    return true; // its pieces are of any size
  }
  return one.framing == other.framing &&
         (one.framing != Framing::kMessages ||
          MessagesLink::largest(one) == MessagesLink::largest(other));
}

} // namespace culvert
