// The record stream of a TLS link: it turns plaintext into records and back.
//
// Belongs to one link, on its shard; it does not own the session. libssl does the work; it can be
// replaced without changing the code above this class.
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
    kFinished, // close_notify; nothing after it was read
    kFailed    // session.failure() says why
  };

  explicit TlsRecords(TlsSession &session) : session_(session) {}

  /// Decrypts into `into`; `size` is set with kBytes.
  Read read(std::span<std::byte> into, std::size_t &size);
  /// Writes one record of at most kRecordBytes; false if the stream is broken.
  bool write(std::span<const std::byte> bytes);
  /// Nothing can be written after it.
  void close_notify();

private:
  TlsSession &session_;
};

} // namespace culvert
