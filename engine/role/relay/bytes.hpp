// Whole messages and heads into a link, cut into chunks that it takes; and answers as bytes.
//
// Functions over the link they are given, on its shard; they own nothing.
#pragma once

#include "link/description.hpp"
#include "link/http_upgrade.hpp"
#include "link/link.hpp"

#include <string>

namespace culvert {

/// One message, which must stay as it is until the caller has flushed.
void send_message(Link &link, Message &message);
/// Bytes of a head or an answer, in a turn of their own.
void write_bytes(Link &link, std::string bytes);

/// An answer as it leaves before any framing. `request` is what an HTTP answer answers; with
/// `upgrade` a status of 101 is a WebSocket handshake; any other has the Date `wall_s`, by which a
/// client whose token has expired sees whose clock is wrong. Nothing to say is an empty text.
Result<std::string> answer_bytes(const Answer &answer, bool upgrade, const RequestHead &request,
                                 Digests &digests, std::int64_t wall_s);

} // namespace culvert
