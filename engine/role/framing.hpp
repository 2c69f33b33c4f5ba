// The link that frames what follows the heads, as a description or an intent says.
#pragma once

#include "link/description.hpp"
#include "link/link.hpp"
#include "link/websocket.hpp"

#include <memory>

namespace culvert {

/// `role` is ours, where the framing is WebSocket. Takes the link over.
std::unique_ptr<Link> framed(Shard &shard, std::unique_ptr<Link> below,
                             const FramingOptions &framing, WebSocketRole role);

/// Whether one message of so many bytes can be said on a control channel: framing `messages` has no
/// empty one.
bool can_say(const FramingOptions &framing, std::size_t message_bytes);

/// Whether each of two sides can say whatever the other one does. A message that comes in parts is
/// none of framing `messages`.
bool go_together(const FramingOptions &one, const FramingOptions &other);

} // namespace culvert
