// The custom BIO: connects libssl to the engine's buffers, in place of a socket.
//
// Belongs to one TLS link and must not move; it owns the BIO. libssl reads directly from the lower
// link's chunk (feed). It writes to the end of the turn's buffer while a turn is open, otherwise
// into a small pending buffer that the next turn sends first.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

struct bio_st;

namespace culvert {

class TlsWire {
public:
  TlsWire();
  TlsWire(const TlsWire &) = delete;
  TlsWire &operator=(const TlsWire &) = delete;
  ~TlsWire();
  [[nodiscard]] bio_st *bio() const { return bio_; }

  // --- ciphertext in --------------------------------------------------------------------------
  /// Gives bytes to libssl, which must have read all earlier ones.
  void feed(std::span<const std::byte> bytes);
  /// Takes back the bytes that libssl has not read.
  std::span<const std::byte> take_rest();
  /// libssl gets no more input, so that it returns.
  void stop_reading() { reading_ = false; }

  // --- ciphertext out -------------------------------------------------------------------------
  /// Opens a turn; pending bytes are sent first.
  void open_turn(std::span<std::byte> buffer);
  [[nodiscard]] bool turn_open() const { return !buffer_.empty(); }
  [[nodiscard]] std::size_t turn_room() const { return buffer_.size() - used_; }
  /// Takes what the turn has written; the buffer is then empty.
  std::span<std::byte> take_turn();
  void close_turn() { buffer_ = {}; }

  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  /// True if something did not fit: the sending direction is broken.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

private:
  friend struct TlsWireMethods;
  int read(std::span<std::byte> into);
  int write(std::span<const std::byte> bytes);

  bio_st *bio_;
  std::span<const std::byte> in_;
  bool reading_ = true;
  std::span<std::byte> buffer_;
  std::size_t used_ = 0;
  std::vector<std::byte> pending_; // at most kTlsPendingBytes
  bool overflowed_ = false;
};

} // namespace culvert
