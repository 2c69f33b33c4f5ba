// Headers of WebSocket frames (RFC 6455, section 5), read from pieces of any size and written in
// place. The payload is not read here.
//
// A decoder belongs to one direction of one link. It is strict, accepts no extensions, and checks
// the rules of fragmentation.
#pragma once

#include "core/limits.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

constexpr bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

/// The most payload of a control frame (RFC 6455, section 5.5).
inline constexpr std::size_t kControlPayloadBytes = 125;
/// 2 + 8 bytes of length + 4 of key.
inline constexpr std::size_t kFrameHeaderBytes = 14;
static_assert(kFrameHeaderBytes <= kHeadroom);

struct FrameHeader {
  Opcode opcode = Opcode::kContinuation;
  bool fin = true;
  bool masked = false;
  std::uint32_t key = 0; // as on the wire
  std::uint64_t length = 0;
};

constexpr std::size_t frame_header_size(bool masked, std::uint64_t length) {
  const std::size_t extra = length < 126 ? 0 : (length <= 0xFFFF ? 2 : 8);
  return 2 + extra + (masked ? 4 : 0);
}

/// Writes frame_header_size() bytes.
void write_frame_header(std::byte *at, const FrameHeader &header);

class FrameDecoder {
public:
  /// A server accepts only masked frames, a client only frames without a mask.
  explicit FrameDecoder(bool expect_masked) : expect_masked_(expect_masked) {}

  /// Takes bytes of one header and returns how many. Until ready() or fault() it takes all of them.
  std::size_t feed(std::span<const std::byte> bytes);
  /// A whole header was read. next() prepares for the header after its payload.
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] const FrameHeader &header() const { return header_; }
  void next();
  /// How the peer broke the protocol, or nullptr; a fault is final. It is found as early as
  /// possible: at the second byte, or at the length.
  [[nodiscard]] const char *fault() const { return fault_; }
  /// After a fault: only lengths are read from now on, to find the peer's Close.
  void tolerate();

private:
  void read_start();
  void read_rest();
  [[nodiscard]] const char *check_start(std::uint8_t reserved, std::uint8_t length) const;

  bool expect_masked_;
  bool ready_ = false;
  bool tolerant_ = false;
  bool message_open_ = false;
  std::uint8_t size_ = 0;
  std::uint8_t wanted_ = 2;
  std::array<std::byte, kFrameHeaderBytes> partial_{};
  FrameHeader header_;
  const char *fault_ = nullptr;
};

} // namespace culvert
