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

} // namespace culvert
