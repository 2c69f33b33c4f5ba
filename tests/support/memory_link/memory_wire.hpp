// One direction of a memory link: bytes, the messages they belong to, and how it ended.
//
// Both ends of the link share it, on one thread. A part of the bytes is in the wire, as in a
// socket's buffers; what is behind that is held by the writer.
#pragma once

#include "core/assert.hpp"
#include "core/limits.hpp"
#include "link/chunk.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace culvert {

class MemoryWire {
public:
  struct Piece {
    std::size_t size = 0;
    ChunkKind kind = ChunkKind::kBinary;
    bool end_of_message = true;
  };

  explicit MemoryWire(std::size_t wire_bytes)
      : wire_bytes_(wire_bytes), capacity_(wire_bytes + kDirectionHeldBytes),
        ring_(std::make_unique_for_overwrite<std::byte[]>(capacity_)) {}

  [[nodiscard]] std::size_t held() const { return size_ > wire_bytes_ ? size_ - wire_bytes_ : 0; }
  [[nodiscard]] std::size_t in_wire() const { return std::min(size_, wire_bytes_); }
  [[nodiscard]] bool any_piece() const { return next_piece_ < pieces_.size(); }
  Piece &piece() { return pieces_[next_piece_]; }
  void pop_piece() {
    ++next_piece_;
    if (!any_piece()) {
      pieces_.clear();
      next_piece_ = 0;
    }
  }

  void put(const Chunk &chunk) {
    CULVERT_ASSERT(size_ + chunk.size <= capacity_);
    for (std::size_t done = 0; done < chunk.size;) {
      const std::size_t at = (first_ + size_) % capacity_;
      const std::size_t count = std::min(chunk.size - done, capacity_ - at);
      std::copy_n(chunk.data + done, count, ring_.get() + at);
      size_ += count;
      done += count;
    }
    pieces_.push_back({chunk.size, chunk.kind, chunk.end_of_message});
  }
  /// Moves bytes out; their pieces stay, for whoever hands them out.
  std::size_t get(std::span<std::byte> into) {
    const std::size_t total = std::min(into.size(), in_wire());
    for (std::size_t done = 0; done < total;) {
      const std::size_t count = std::min(total - done, capacity_ - first_);
      std::copy_n(ring_.get() + first_, count, into.data() + done);
      first_ = (first_ + count) % capacity_;
      size_ -= count;
      done += count;
    }
    return total;
  }
  /// Forgets what the wire has not taken.
  void discard_held() {
    std::size_t extra = held();
    size_ -= extra;
    while (extra > 0) {
      const std::size_t count = std::min(extra, pieces_.back().size);
      pieces_.back().size -= count;
      pieces_.back().end_of_message = false;
      extra -= count;
      if (pieces_.back().size == 0) {
        pieces_.pop_back();
      }
    }
  }
  /// Forgets everything that was not handed out.
  void discard_all() {
    size_ = 0;
    pieces_.clear();
    next_piece_ = 0;
  }

  std::optional<Ending> end; // behind the bytes
  bool reader_gone = false;

private:
  std::size_t wire_bytes_;
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::vector<Piece> pieces_;
  std::size_t next_piece_ = 0;
};

} // namespace culvert
