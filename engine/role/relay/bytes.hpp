// Writes messages and heads to a link in chunks of the right size, and turns answers into bytes.
//
// Functions on a link, called on its shard; they own nothing.
#pragma once

#include "link/description.hpp"
#include "link/http_upgrade.hpp"
#include "link/link.hpp"

#include <string>

namespace culvert {

/// Sends one message, which must not change until the caller has flushed.
void send_message(Link &link, Message &message);
/// Sends the bytes of a head or an answer in a turn of their own.
void write_bytes(Link &link, std::string bytes);

/// An answer as bytes, before framing begins. `request` is the request of an HTTP answer; with
/// `upgrade` a status of 101 is a WebSocket handshake. Any other status has the Date `wall_s`, so
/// that a client whose token has expired can see which clock is wrong. No answer is an empty text.
Result<std::string> answer_bytes(const Answer &answer, bool upgrade, const RequestHead &request,
                                 Digests &digests, std::int64_t wall_s);

} // namespace culvert
