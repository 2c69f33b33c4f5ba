// Numbers that both halves of this protocol share.
#pragma once

#include <cstdint>

namespace azure {

/// Load balancers on the way drop a silent connection after 2 to 4 minutes; four pings fit in the
/// shorter.
inline constexpr std::uint32_t kPingIntervalMs = 30'000;
/// Of a control channel: the engine waits 10 s for a pong, so a lost relay is noticed within 25 s.
inline constexpr std::uint32_t kChannelPingIntervalMs = 15'000;
/// Microsoft's clients keep a control message below 64 KiB.
inline constexpr std::uint32_t kLargestControlMessage = 64U * 1024;
/// The metadata of one offer. Go clients close at 32,769 bytes, the document says 32 kB.
inline constexpr std::uint32_t kLargestOffer = 32'000;
/// The address in an offer: far more than a relay needs, and with a refusal's reason behind it far
/// less than a request's head may have.
inline constexpr std::uint32_t kLargestAddress = 16U * 1024;
/// The token of a renewal: the engine takes no longer one from a plugin.
inline constexpr std::uint32_t kLargestToken = 40U * 1024;
/// Of Culvert's senders, for Culvert's listeners; a relay passes it on like every other field.
inline constexpr char kAppAddressHeader[] = "Culvert-App-Address";

} // namespace azure
