// The record stream of a TLS link: plaintext to records and back.
//
// Belongs to one link, on its shard. This one is libssl's own; another may take its place behind
// this interface, and nothing above knows which it is.
#pragma once

#include "link/tls_session.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

class TlsRecords {
public:
  enum class Read : std::uint8_t {
    kBytes,
    kMore,     // the wire is empty
    kFinished, // close_notify; nothing behind it was read
    kFailed    // session.failure() says why
  };

  explicit TlsRecords(TlsSession &session) : session_(session) {}

  /// Decrypts into `into`; `size` is set with kBytes.
  Read read(std::span<std::byte> into, std::size_t &size);
  /// One record of at most kRecordBytes; false when the stream is broken.
  bool write(std::span<const std::byte> bytes);
  /// Nothing can be written behind it.
  void close_notify();

private:
  TlsSession &session_;
};

} // namespace culvert
