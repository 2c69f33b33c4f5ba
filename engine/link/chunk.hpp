// What links pass on: chunks of bytes, and how a direction ends.
//
// A chunk owns nothing. Its bytes may be edited in place, and up to `headroom` bytes in front of
// them may be written, by whoever holds the chunk at the moment.
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
  ChunkKind kind = ChunkKind::kBinary; // of the message this is a piece of
  bool end_of_message = true;          // the message's last piece

  [[nodiscard]] std::span<std::byte> bytes() const { return {data, size}; }
};

/// How one direction ended. Finished: everything arrived and its writer said so. Aborted: the
/// stream was broken; `status` says by what.
struct Ending {
  bool aborted = false;
  std::uint16_t code = 0; // a WebSocket close code (RFC 6455, section 7.4); 0 when none was given
  std::string reason;     // UTF-8, at most kCloseReasonBytes
  Status status;          // of an abort

  static Ending finished(std::uint16_t code = 0, std::string reason = {}) {
    return {false, code, std::move(reason), {}};
  }
  static Ending abort(Status why) { return {true, 0, {}, std::move(why)}; }

  /// Its writer said that something went wrong (RFC 6455, section 7.4.1). 1001 is none of these
  /// codes: Java clients end whole streams with it (reference section 19, items 9 and 10).
  [[nodiscard]] bool says_failure() const {
    return code == 1002 || code == 1003 || (code >= 1007 && code <= 1011);
  }
};

} // namespace culvert
