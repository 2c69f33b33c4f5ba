#include "role/relay/capability.hpp"

#include <array>

namespace culvert {

namespace {

void write_number(std::byte *at, std::uint32_t number) {
  for (int i = 3; i >= 0; --i) {
    at[i] = static_cast<std::byte>(number & 0xffU);
    number >>= 8U;
  }
}

std::uint32_t read_number(const std::byte *at) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    number = number << 8U | std::to_integer<std::uint32_t>(at[i]);
  }
  return number;
}

} // namespace

std::string make_capability(const PendingRef &pending, Random &random) {
  std::array<std::byte, kCapabilityBytes> bytes{};
  write_number(bytes.data(), pending.shard);
  write_number(bytes.data() + 4, pending.slot.index);
  write_number(bytes.data() + 8, pending.slot.generation);
  random.fill(std::span(bytes).subspan(12));
  return hex(bytes);
}

std::optional<PendingRef> read_capability(std::string_view text) {
  if (text.size() != 2 * kCapabilityBytes) {
    return std::nullopt;
  }
  const auto bytes = from_hex(text);
  if (!bytes) {
    return std::nullopt;
  }
  return PendingRef{read_number(bytes->data()),
                    {read_number(bytes->data() + 4), read_number(bytes->data() + 8)}};
}

Sha256Bytes capability_hash(std::string_view text, Digests &digests) {
  const auto bytes = from_hex(text);
  CULVERT_ASSERT(bytes);
  return digests.sha256(*bytes);
}

} // namespace culvert
