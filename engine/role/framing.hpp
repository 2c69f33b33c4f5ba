// Makes the link for the bytes after the heads: WebSocket, messages or raw.
#pragma once

#include "link/description.hpp"
#include "link/link.hpp"
#include "link/websocket.hpp"

#include <memory>

namespace culvert {

/// `role` is our own role if the framing is WebSocket. Takes the link over.
std::unique_ptr<Link> framed(Shard &shard, std::unique_ptr<Link> below,
                             const FramingOptions &framing, WebSocketRole role);

/// True if a control channel can carry a message of this size. Framing `messages` has no empty
/// message.
bool can_say(const FramingOptions &framing, std::size_t message_bytes);

/// True if each side can send on everything that the other side sends. Framing `messages` cannot
/// carry a message in parts.
bool go_together(const FramingOptions &one, const FramingOptions &other);

} // namespace culvert
