// The WebSocket handshake (RFC 6455, section 4), both ends. The frames that follow are not handled
// here.
//
// Pure functions, except for the random source and the digests passed to them. Connection, Upgrade
// and Sec-WebSocket-Key, -Version and -Accept are written here; a caller may not pass them.
#pragma once

#include "core/random.hpp"
#include "crypto/digest.hpp"
#include "link/http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace culvert {

/// 16 random bytes in base64.
std::string make_upgrade_key(Random &random);

/// The client's request. The caller's fields are added to those of the handshake.
Result<std::string> build_upgrade_request(std::string_view target, std::string_view authority,
                                          std::string_view key, const std::vector<Field> &fields);
/// Checks a 101: one Upgrade: websocket, one Connection: Upgrade, the accept value of this key, no
/// extension, and no sub-protocol that the request did not ask for. Any other status is a refusal,
/// with that status in peer_status and its reason as message.
Status check_upgrade_response(const ResponseHead &head, std::string_view key,
                              const std::vector<Field> &asked, Digests &digests);

/// The server's check of a request; on success it has a key.
HeadFault check_upgrade_request(const RequestHead &head);
/// The 101 to a request that passed the check. An empty reason becomes the standard one. A
/// sub-protocol among the fields that the request does not offer is left out.
Result<std::string> build_upgrade_response(const RequestHead &request, std::string_view reason,
                                           const std::vector<Field> &fields, Digests &digests);

} // namespace culvert
