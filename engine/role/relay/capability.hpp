// The one-time secret that a listener shows to fetch a waiting sender: the sender's place, and 128
// random bits.
//
// Plain values. A capability travels as lower-case hex, opaque to plugins; the relay keeps only its
// hash. A capability from a peer is only used to find the entry; the hash decides.
#pragma once

#include "core/random.hpp"
#include "core/slab.hpp"
#include "crypto/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace culvert {

/// The place where a sender waits.
struct PendingRef {
  unsigned shard = 0;
  SlabHandle slot;
};

/// shard, slot and generation of 4 bytes each, then 16 random ones.
inline constexpr std::size_t kCapabilityBytes = 28;

/// A fresh capability, as hex.
std::string make_capability(const PendingRef &pending, Random &random);
/// The place in it; nothing if the text does not have the form of a capability.
std::optional<PendingRef> read_capability(std::string_view text);
/// The hash that the relay keeps. The text must have the form of a capability; its case is ignored.
Sha256Bytes capability_hash(std::string_view text, Digests &digests);

} // namespace culvert
