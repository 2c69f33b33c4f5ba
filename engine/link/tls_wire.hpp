// The custom BIO: libssl's door to the engine's buffers, in place of a socket.
//
// Belongs to one TLS link and stays where it is. Reading comes straight from the lower link's chunk
// (feed), which libssl's own copy empties. Writing goes to the end of the turn's buffer while a
// turn is open, otherwise into a small pending buffer that the next turn sends first.
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
  /// Bytes for libssl, which must have read all of those before.
  void feed(std::span<const std::byte> bytes);
  /// What libssl has not read; the wire forgets it.
  std::span<const std::byte> take_rest();
  /// From now on libssl reads nothing: it returns from wherever it is.
  void stop_reading() { reading_ = false; }

  // --- ciphertext out -------------------------------------------------------------------------
  /// Opens a turn; what is pending goes first.
  void open_turn(std::span<std::byte> buffer);
  [[nodiscard]] bool turn_open() const { return !buffer_.empty(); }
  [[nodiscard]] std::size_t turn_room() const { return buffer_.size() - used_; }
  /// What the turn holds; the buffer is then empty again.
  std::span<std::byte> take_turn();
  void close_turn() { buffer_ = {}; }

  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  /// Something did not fit: the stream out is broken.
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
