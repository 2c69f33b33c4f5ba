// The values that links pass on: chunks of bytes, and how a direction ended.
//
// A chunk owns nothing. The code that has the chunk may edit its bytes in place and write up to
// `headroom` bytes in front of them.
#pragma once

#include "culvert/status.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace culvert {

enum class ChunkKind : std::uint8_t { kBinary, kText };

struct Chunk {
  std::byte *data = nullptr;
  std::size_t size = 0;
  std::size_t headroom = 0;
  ChunkKind kind = ChunkKind::kBinary; // of the message that this chunk is a piece of
  bool end_of_message = true;          // the message's last piece

  [[nodiscard]] std::span<std::byte> bytes() const { return {data, size}; }
};

/// How one direction ended. Finished: everything arrived, and the writer ended the stream. Aborted:
/// the stream was broken, and `status` says why.
struct Ending {
  bool aborted = false;
  std::uint16_t code = 0; // a WebSocket close code (RFC 6455, section 7.4); 0 when none was given
  std::string reason;     // UTF-8, at most kCloseReasonBytes
  Status status;          // of an abort

  static Ending finished(std::uint16_t code = 0, std::string reason = {}) {
    return {false, code, std::move(reason), {}};
  }
  static Ending abort(Status why) { return {true, 0, {}, std::move(why)}; }

  /// True if the writer's close code means failure (RFC 6455, section 7.4.1). 1001 does not count:
  /// Java clients end complete streams with it.
  [[nodiscard]] bool means_failure() const {
    return code == 1002 || code == 1003 || (code >= 1007 && code <= 1011);
  }
};

} // namespace culvert
