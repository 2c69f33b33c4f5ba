// A shard: one event loop and what all its connections share.
//
// Plain references and buffers, passed to all code that runs on this shard; used only by the thread
// that drives its Io. It owns the buffers; the Io, the random source and the log belong to the
// engine.
#pragma once

#include "core/limits.hpp"
#include "core/random.hpp"
#include "culvert/limits.hpp"
#include "culvert/log.hpp"
#include "io/good_addresses.hpp"
#include "io/io.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace culvert {

/// The bytes that all connections of a shard hold because the kernel has not taken them. No
/// connection waits for another one's room: when room gets short, turns get smaller, down to
/// kMinTurnBytes. A connection that holds bytes waits only for its own peer.
class HeldBudget {
public:
  explicit HeldBudget(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] std::size_t available() const { return held_ < capacity_ ? capacity_ - held_ : 0; }
  [[nodiscard]] std::size_t held() const { return held_; }
  /// The most ever held, for tests and metrics.
  [[nodiscard]] std::size_t peak() const { return peak_; }
  /// Cannot fail. It may exceed the capacity; ShardLimits::held_bytes says by how much.
  void take(std::size_t bytes);
  void give(std::size_t bytes);

private:
  std::size_t capacity_;
  std::size_t held_ = 0;
  std::size_t peak_ = 0;
};

/// References to what a gathering link will send of this turn, until its flush().
struct GatheredParts {
  std::array<std::span<const std::byte>, kGatherParts> at;
  std::size_t count = 0;
  const void *owner = nullptr; // the link; another may gather once its parts have left

  [[nodiscard]] std::span<const std::span<const std::byte>> all() const {
    return std::span(at).first(count);
  }
};

/// The buffers of a turn. One turn runs at a time on a shard and ends with its callback, so each
/// buffer exists once. Bytes that are left at the end of a turn are copied into held blocks.
class TurnBuffers {
public:
  TurnBuffers();
  /// Bytes received from the kernel; kHeadroom writable bytes are in front of it.
  [[nodiscard]] std::span<std::byte> receive() { return {base_.get() + kHeadroom, kTurnBytes}; }
  /// What a turn encodes for the kernel, or, for a raw sink, the plaintext of a whole turn.
  /// kHeadroom writable bytes are in front of it.
  [[nodiscard]] std::span<std::byte> encode() {
    return {base_.get() + 2 * kHeadroom + kTurnBytes, kDirectionHeldBytes};
  }
  /// One decrypted record, in cache from decryption to encryption; kHeadroom in front.
  [[nodiscard]] std::span<std::byte> scratch() {
    return {base_.get() + 3 * kHeadroom + kTurnBytes + kDirectionHeldBytes, kRecordBytes};
  }
  /// Short pieces that are collected for one full record.
  [[nodiscard]] std::span<std::byte> gather() {
    return {base_.get() + 4 * kHeadroom + kTurnBytes + kDirectionHeldBytes + kRecordBytes,
            kRecordBytes};
  }
  GatheredParts parts;

private:
  std::unique_ptr<std::byte[]> base_;
};

struct Shard {
  Shard(Io &io_of_it, Random &random_of_it, Log &log_of_it, unsigned index_of_it,
        const ShardLimits &limits_of_it = {})
      : io(io_of_it), random(random_of_it), log(log_of_it), index(index_of_it),
        limits(limits_of_it), held(limits_of_it.held_bytes) {}
  Shard(const Shard &) = delete;
  Shard &operator=(const Shard &) = delete;

  Io &io;
  Random &random;
  Log &log;
  const unsigned index;
  const ShardLimits limits;
  HeldBudget held;
  TurnBuffers buffers;
  GoodAddresses good_addresses{limits};
};

} // namespace culvert
