// What a listener shows to fetch a parked sender: where the sender waits, and 128 random bits.
//
// Plain values. A capability travels as lower-case hex, opaque to plugins; the relay keeps only its
// hash. What a peer hands back is believed in nothing but where to look.
#pragma once

#include "core/random.hpp"
#include "core/slab.hpp"
#include "crypto/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace culvert {

/// Where a sender waits.
struct PendingRef {
  unsigned shard = 0;
  SlabHandle slot;
};

/// shard, slot and generation of 4 bytes each, then 16 random ones.
inline constexpr std::size_t kCapabilityBytes = 28;

/// A fresh capability, as hex.
std::string make_capability(const PendingRef &pending, Random &random);
/// Where to look; nothing when the text has not the form of a capability.
std::optional<PendingRef> read_capability(std::string_view text);
/// What is kept of it. Only of a text that can be read; its case does not count.
Sha256Bytes capability_hash(std::string_view text, Digests &digests);

} // namespace culvert
