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

} // namespace culvert
